import { CarrelError } from '../../../errors.ts'
import type { ComputerContext } from './computer-context.ts'

/** Returns the id of the image that a snapshot lies over. Throws `not_found` and `image_missing`. */
export async function imageOfSnapshot(
  { volumes, images }: Pick<ComputerContext, 'volumes' | 'images'>,
  snapshotId: string,
  doing: string,
): Promise<string> {
  const image = await volumes.snapshotImage(snapshotId)
  if (image === undefined) throw new CarrelError('not_found', `${doing}: snapshot "${snapshotId}" is missing`)
  if (await images.get(image)) return image
  throw new CarrelError('image_missing', `${doing}: image "${image}" is missing`)
}
