import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CarrelError } from '../../../errors.ts'
import { openPool } from '../storage/pool.ts'
import { Volumes } from '../storage/volumes.ts'
import { LocalImages } from './local-images.ts'
import { isImageStored } from './stored-uses.ts'

/**
 * Opens the images of a data directory, beside a server that may be using it. Throws `unavailable` when no server has
 * used the directory yet, and when its pool cannot be used.
 */
export async function openImages(dataDirectory: string): Promise<LocalImages> {
  const poolDirectory = join(dataDirectory, 'pool')
  if (!existsSync(poolDirectory))
    throw new CarrelError(
      'unavailable',
      `Cannot read the images: no server has used "${dataDirectory}" yet; set CARREL_DATA to the data directory`,
    )
  const pool = await openPool(dataDirectory, async () => {
    throw new CarrelError('unavailable', 'Cannot use the storage pool: it has turned read-only; start the server again')
  })
  const volumes = new Volumes(pool.storage, pool.directory)
  await mkdir(join(pool.directory, 'snapshots'), { recursive: true })
  return new LocalImages({
    storeDirectory: join(pool.directory, 'images'),
    storage: pool.storage,
    isInUse: (image) => isImageStored(dataDirectory, volumes, image),
  })
}
