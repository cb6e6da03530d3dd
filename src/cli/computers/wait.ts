import type { BegunOnComputer, Carrel, Computer, ComputerOperation } from '../../../sdk/index.ts'
import type { Program } from '../program.ts'
import type { Call } from '../verb.ts'

/**
 * Waits for what was begun, unless --no-wait is given, and shows how far it is on one line of a terminal. Returns the
 * computer as it is then.
 */
export async function settled({ program, values }: Call, client: Carrel, begun: BegunOnComputer): Promise<Computer> {
  if (values['no-wait']) return begun.computer
  const isShown = program.stderr.isTerminal && !values.json
  const startedMs = performance.now()
  try {
    return await client.computers.settle(begun, {
      onProgress: (operation) => {
        const passedMs = performance.now() - startedMs
        if (isShown && passedMs > showAfterMs) void show(program, operation, passedMs)
      },
    })
  } finally {
    if (isShown) await program.stderr.write('\r\u001b[K').catch(() => {})
  }
}

async function show(program: Program, operation: ComputerOperation, passedMs: number): Promise<void> {
  const { kind, progress, progress_message: message } = operation
  const share = progress > 0 ? ` ${Math.floor(progress * 100)} %` : ''
  const step = message === undefined ? '' : `: ${message}`
  const line = `${kind.replace('.', ' ')}${share}, ${Math.floor(passedMs / 1000)} s${step}`
  await program.stderr.write(`\r${line.slice(0, (program.stderr.width ?? 80) - 1)}\u001b[K`).catch(() => {})
}

const showAfterMs = 400

/** The option of everything that waits. */
export const waitOptions = {
  'no-wait': { type: 'boolean' as const, help: 'Do not wait until it is done' },
}
