import { constants } from 'node:os'
import type { ExecSession } from '../../sdk/index.ts'

export interface SignalPass {
  /** Aborts when a signal comes while there is no session, and none appears soon. */
  gaveUp: AbortSignal
  /** Resolves with the exit code when a second signal has killed the program. */
  killed: Promise<number>
  /** From now on signals go to this session. */
  reach(session: ExecSession): void
  release(): void
}

const passed = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

/** How long a program that is being started is waited for, to have the signal too. */
const startGraceMs = 1_000
/** How long the end of a killed program is waited for. */
const killGraceMs = 2_000

/** The first signal goes to the program, all of its tree; the second one kills it and ends this program. */
export function passSignals(): SignalPass {
  const gaveUp = new AbortController()
  let session: ExecSession | undefined
  let first: NodeJS.Signals | undefined
  let grace: NodeJS.Timeout | undefined
  let setKilled!: (exitCode: number) => void
  const killed = new Promise<number>((resolve) => (setKilled = resolve))

  const giveUp = (exitCode: number) => {
    gaveUp.abort(new Error('Interrupted'))
    setKilled(exitCode)
  }
  const onSignal = (signal: NodeJS.Signals) => {
    const exitCode = 128 + constants.signals[signal]
    if (!session) {
      if (first) giveUp(exitCode)
      else grace = setTimeout(giveUp, startGraceMs, exitCode)
    } else if (first) void kill(session).then(() => setKilled(exitCode))
    else session.signal(signal)
    first ??= signal
  }
  for (const signal of passed) process.on(signal, onSignal)

  return {
    gaveUp: gaveUp.signal,
    killed,
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

async function kill(session: ExecSession): Promise<void> {
  session.signal('SIGKILL')
  let timer
  const waited = new Promise<void>((resolve) => (timer = setTimeout(resolve, killGraceMs)))
  await Promise.race([session.exit.catch(() => {}), waited])
  clearTimeout(timer)
}
