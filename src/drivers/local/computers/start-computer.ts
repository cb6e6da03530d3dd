import type { LxcfsView } from '../lxcfs/lxcfs.ts'
import { clearRuntimeState } from './clear-runtime-state.ts'
import type { ComputerContext } from './computer-context.ts'
import type { ComputerRecord } from './computer-store.ts'
import { runContainer } from './run-container.ts'

/** Starts a computer. Does nothing when it is running. */
export async function startComputer(context: ComputerContext, id: string): Promise<void> {
  const { store, states, roots, lxcfs } = context
  if (states.isRunning(id)) return
  const record = store.require(id)
  if (states.unclearedIds.has(id)) await clearRuntimeState(context, id)
  await roots.mount(record)
  const view = lxcfs?.view
  try {
    await startWith(context, record, view)
  } catch (error) {
    if (!view || !(await isLost(context, view))) throw error
    await startWith(context, record, lxcfs?.view)
  }
}

async function startWith(context: ComputerContext, record: ComputerRecord, view: LxcfsView | undefined): Promise<void> {
  const { slotPool, store, lxcfs, log } = context
  const { id } = record
  const slot = await slotPool.take()
  try {
    await store.setSlot(id, slot.number)
    await runContainer(context, record, { slot, view })
  } catch (error) {
    await clearRuntimeState(context, id).catch((cause: unknown) =>
      log?.warn({ err: cause, computer: id }, 'cannot clean up after a failed start; the next start will'),
    )
    throw error
  }
  lxcfs?.started(id, view)
}

/** Returns whether the start may have failed because lxcfs was killed or stopped meanwhile. */
async function isLost({ lxcfs }: Pick<ComputerContext, 'lxcfs'>, { generation }: LxcfsView): Promise<boolean> {
  return !(await lxcfs?.check()) || lxcfs?.view?.generation !== generation
}
