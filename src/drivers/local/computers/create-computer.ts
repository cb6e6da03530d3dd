import { CarrelError } from '../../../errors.ts'
import type { ComputerSpec } from '../../driver.ts'
import type { ComputerContext } from './computer-context.ts'
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
  { volumes, images }: Pick<ComputerContext, 'volumes' | 'images'>,
  { id, source }: ComputerSpec,
): Promise<string> {
  const image = 'image' in source ? source.image : await volumes.snapshotImage(source.snapshot)
  if ('snapshot' in source && image === undefined)
    throw new CarrelError('not_found', `Cannot create computer "${id}": snapshot "${source.snapshot}" is missing`)
  if (image === undefined || !(await images.get(image)))
    throw new CarrelError('image_missing', `Cannot create computer "${id}": image "${image}" is missing`)
  return image
}
