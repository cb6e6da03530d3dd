import { constants } from 'node:os'
import type { ExecSession } from '../../sdk/index.ts'

export interface SignalPass {
  /** Aborts when a signal arrives before the session, and the session does not follow soon. */
  gaveUp: AbortSignal
  /** Resolves with the exit code when a second signal has killed the program, or it cannot be waited for. */
  killed: Promise<number>
  /** The exit code, as soon as the second signal has arrived. */
  readonly exitCode: number | undefined
  /** Sends signals to this session from now on. */
  reach(session: ExecSession): void
  release(): void
}

const passed = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

/** How long to wait for a program that is being started, to pass the signal on. */
const startGraceMs = 1_000
/** How long to wait for a program to end after a signal that should end it. */
const endGraceMs = 2_000

/** Passes the first signal to the process tree of the program. The second one kills the program and ends this one. */
export function passSignals(): SignalPass {
  const gaveUp = new AbortController()
  let session: ExecSession | undefined
  let first: NodeJS.Signals | undefined
  let grace: NodeJS.Timeout | undefined
  let exitCode: number | undefined
  let setKilled!: (exitCode: number) => void
  const killed = new Promise<number>((resolve) => (setKilled = resolve))

  const giveUp = (code: number) => {
    exitCode = code
    gaveUp.abort(new Error('Interrupted'))
    setKilled(code)
  }
  const onSignal = (signal: NodeJS.Signals) => {
    const code = 128 + constants.signals[signal]
    if (!session) {
      if (first) giveUp(code)
      else grace = setTimeout(giveUp, startGraceMs, code)
    } else if (first) {
      exitCode = code
      void endProgram(session, 'SIGKILL').then(() => setKilled(code))
    } else session.signal(signal)
    first ??= signal
  }
  for (const signal of passed) process.on(signal, onSignal)

  return {
    gaveUp: gaveUp.signal,
    killed,
    get exitCode() {
      return exitCode
    },
    reach(opened) {
      session = opened
      clearTimeout(grace)
      if (first) session.signal(first)
    },
    release() {
      clearTimeout(grace)
      for (const signal of passed) process.off(signal, onSignal)
    },
  }
}

/**
 * Sends a signal that ends the program, then KILL if it does not. Resolves when it has ended, or when that stays
 * unknown.
 */
export async function endProgram(session: ExecSession, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  session.signal(signal)
  const hasEnded = await endsWithin(session, endGraceMs)
  if (!hasEnded && signal !== 'SIGKILL') await endProgram(session, 'SIGKILL')
}

async function endsWithin(session: ExecSession, ms: number): Promise<boolean> {
  let timer
  const waited = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, ms, false)))
  const ended = session.exit.then(
    () => true,
    () => true,
  )
  const hasEnded = await Promise.race([ended, waited])
  clearTimeout(timer)
  return hasEnded
}
