import { clearRuntimeState } from './clear-runtime-state.ts'
import type { ComputerContext } from './computer-context.ts'

/** Removes a computer with its root, volume and record. Does nothing when the computer does not exist. */
export async function removeComputer(context: ComputerContext, id: string): Promise<void> {
  await clearRuntimeState(context, id)
  await context.roots.remove(id)
  await context.volumes.delete(id)
  await context.store.remove(id)
}
