import { CarrelError } from '../../../errors.ts'
import type { ComputerContext } from './computer-context.ts'
import { imageOfSnapshot } from './image-of-snapshot.ts'

/** Replaces the files of a stopped computer by those of a snapshot. */
export async function restoreComputer(context: ComputerContext, id: string, snapshotId: string): Promise<void> {
  const { store, states, roots, volumes } = context
  const record = store.require(id)
  const doing = `Cannot restore computer "${id}"`
  if (states.isRunning(id))
    throw new CarrelError('conflict', `${doing}: it is running`, { details: { state: 'running' } })
  const image = await imageOfSnapshot(context, snapshotId, doing)
  await roots.unmount(id)
  await volumes.restore(id, snapshotId, record.limits.diskBytes)
  if (image !== record.image) await store.replace({ ...record, image })
}
