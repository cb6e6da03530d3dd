import type { constants } from 'node:os'
import { isatty } from 'node:tty'
import { WebSocket } from 'ws'
import type { ExecSession } from '../../../sdk/index.ts'
import { reportConnection } from '../connection-report.ts'
import { DetachKeys } from '../detach-keys.ts'
import { passInput } from '../exec-input.ts'
import { outcomeOf } from '../exec-outcome.ts'
import { openClient } from '../open-client.ts'
import { printable } from '../printable.ts'
import type { Program } from '../program.ts'
import { holdTerminal, terminalSize } from '../terminal.ts'
import type { Verb } from '../verb.ts'

export const attach: Verb = {
  usage: 'attach [options] <id>',
  description: `
Connects this terminal to a running process: shows its output from now on, and passes keys on if it has a terminal. Exits
with the code of the process, as exec does. "ps" shows the ids, "logs" the output so far.

Ctrl-P Ctrl-Q detaches: the process keeps running. A process that exec has started ends a minute after its last client
has left, one of "start" does not. Ctrl-C goes to the process.`,
  examples: [
    ['attach web', 'the process "web", until it ends or Ctrl-P Ctrl-Q'],
    ['attach -n web', 'only its output'],
  ],
  options: { 'no-stdin': { type: 'boolean', short: 'n', help: 'Do not read stdin' } },
  shared: ['session'],
  operands: [1, 1],
  async run({ program, values, operands: [id = ''] }) {
    const client = await openClient(program, { ...values, timeout: undefined, json: undefined }, { WebSocket })
    const onConnection = (state: string) => void reportConnection(program, state)
    const session = await client.attach(id, { cursor: 'end', onConnection })
    await session.ready
    if (session.hadEnded)
      throw new Error(`Cannot attach to process "${id}": it has ended; "${program.name} logs ${id}" shows its output`)
    const release = passInterrupts(session)
    try {
      const hasKeys = !values['no-stdin'] && isatty(0)
      if (!hasKeys && !values['no-stdin']) void passInput(program, session)
      if (!hasKeys) return await follow(program, session)
      await program.stderr.line(`Attached to ${printable(id)}: Ctrl-P Ctrl-Q detaches`)
      const end = await withKeys(program, session)
      if (end !== 'detached') return end
      await session.close()
      await program.stderr.line(`\nDetached: "${program.name} attach ${printable(id)}" attaches again`)
      return 0
    } finally {
      release()
    }
  },
}

/** Shows output until the process ends. Resolves with its exit code. */
async function follow(program: Program, session: ExecSession): Promise<number> {
  for await (const { channel, data } of session) await program[channel].write(data)
  const { exitCode, sentences } = outcomeOf(await session.exit)
  for (const sentence of sentences) await program.stderr.line(`${program.name}: ${sentence}`)
  return exitCode
}

/** Follows the process while keys are typed, which stay unseen unless it shows them itself. */
async function withKeys(program: Program, session: ExecSession): Promise<number | 'detached'> {
  const restore = holdTerminal(program, session)
  const { cols, rows } = terminalSize(program)
  if (session.hasTerminal) session.resize(cols, rows)
  try {
    return await Promise.race([follow(program, session), untilDetached(session)])
  } finally {
    restore()
  }
}

/** Resolves when the user detaches. Without a terminal there, only the keys for signals have a meaning. */
async function untilDetached(session: ExecSession): Promise<'detached'> {
  const keys = new DetachKeys()
  for await (const typed of process.stdin) {
    const { data, isDetached } = keys.take(typed as Uint8Array)
    if (session.hasTerminal) await session.write(data)
    else for (const key of data) if (signalKeys[key] !== undefined) session.signal(signalKeys[key])
    if (isDetached) return 'detached'
  }
  return new Promise(() => {})
}

/** Ctrl-C and Ctrl-backslash. */
const signalKeys: Record<number, string | undefined> = { 3: 'SIGINT', 28: 'SIGQUIT' }

/** Passes the signals of Ctrl-C and Ctrl-backslash on. Every other one ends this program alone. */
function passInterrupts(session: ExecSession): () => void {
  const signals = ['SIGINT', 'SIGQUIT'] as const
  const pass = (signal: keyof typeof constants.signals) => session.signal(signal)
  for (const signal of signals) process.on(signal, pass)
  return () => {
    for (const signal of signals) process.off(signal, pass)
  }
}
