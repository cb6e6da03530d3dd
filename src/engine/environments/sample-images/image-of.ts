import { CarrelError } from '../../../errors.ts'
import type { Context } from '../../context.ts'
import type { FoundSample } from '../datasets/find-sample.ts'

/**
 * Returns the id of the image that the computers of a sample start from. Throws `image_missing` for a name that no image
 * of this server has, and `not_set_up` for a task with a Dockerfile.
 */
export async function imageOf({ driver }: Pick<Context, 'driver'>, { task }: FoundSample): Promise<string> {
  const { source } = task.environment
  if ('dockerfile' in source)
    throw new CarrelError(
      'not_set_up',
      `Cannot build "${source.dockerfile}": this server builds no images of samples; name an image in the task instead`,
    )
  const images = await driver.images.list()
  // The newest first, as the list has them.
  const image = images.find(({ id }) => id === source.image) ?? images.find(({ name }) => name === source.image)
  if (image) return image.id
  throw new CarrelError(
    'image_missing',
    `Cannot use image ${JSON.stringify(source.image.slice(0, 200))}: this server has none of that id or name`,
    { details: { image: source.image.slice(0, 200) } },
  )
}
