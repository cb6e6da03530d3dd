import { CarrelError } from '../../../errors.ts'
import type { ComputerSpec } from '../../driver.ts'
import type { ComputerContext } from './computer-context.ts'
import { imageOfSnapshot } from './image-of-snapshot.ts'
import { removeComputer } from './remove-computer.ts'

/** Creates the volume and the record of a computer. A computer that could be created only partly is removed. */
export async function createComputer(context: ComputerContext, spec: ComputerSpec): Promise<void> {
  const { store, volumes } = context
  if (store.get(spec.id)) throw new CarrelError('already_exists', `Cannot create computer "${spec.id}": it exists`)
  const image = await findImage(context, spec)
  try {
    if ('image' in spec.source) await volumes.create(spec.id, spec.limits.diskBytes)
    else await volumes.createFromSnapshot(spec.id, spec.source.snapshot, spec.limits.diskBytes)
    await store.add({ ...spec, image })
  } catch (error) {
    await removeComputer(context, spec.id)
    throw error
  }
}

/** Returns the id of the image that the computer's files lie over. */
async function findImage(
  context: Pick<ComputerContext, 'volumes' | 'images'>,
  { id, source }: ComputerSpec,
): Promise<string> {
  const doing = `Cannot create computer "${id}"`
  if ('snapshot' in source) return imageOfSnapshot(context, source.snapshot, doing)
  if (await context.images.get(source.image)) return source.image
  throw new CarrelError('image_missing', `${doing}: image "${source.image}" is missing`)
}
