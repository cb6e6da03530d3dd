import type { BegunOnComputer, Carrel, Computer, ComputerOperation } from '../../../sdk/index.ts'
import type { Call } from '../verb.ts'
import { OperationProgress } from './operation-progress.ts'

/**
 * Waits for what was begun, unless --no-wait is given, and shows how far it is. Returns the computer as it is then.
 */
export async function settled(call: Call, client: Carrel, { computer, operation }: BegunOnComputer): Promise<Computer> {
  await ended(call, client, operation)
  const isLast = call.values['no-wait'] || operation?.kind === 'computer.delete'
  return isLast ? computer : client.computers.get(computer.id)
}

/** Waits for the end of an operation, unless --no-wait is given, and shows how far it is. */
export async function ended(
  { program, values }: Call,
  client: Carrel,
  operation: ComputerOperation | undefined,
): Promise<void> {
  if (values['no-wait'] || operation === undefined) return
  const progress = new OperationProgress(program, values)
  try {
    await client.computers.waitFor(operation, { onProgress: (state) => void progress.show(state) })
  } finally {
    await progress.clear()
  }
}

/** The option of everything that waits. */
export const waitOptions = {
  'no-wait': { type: 'boolean' as const, help: 'Do not wait until it is done' },
}
