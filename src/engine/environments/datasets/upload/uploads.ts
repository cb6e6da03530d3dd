import { limits } from '../../../../config/limits.ts'
import { CarrelError } from '../../../../errors.ts'
import { newId } from '../../../ids.ts'

/** Folders of uploads under way are hidden among the versions. */
export const stagingPrefix = '.upload-'

/** The uploads of datasets that are under way. */
export class Uploads {
  /** What the folders of this server's uploads begin with: those of an earlier server are not in use. */
  readonly prefix = `${stagingPrefix}${newId()}-`
  #waiting = 0

  /** Runs an upload, whose body may arrive while others are read. Throws `no_capacity` when too many wait. */
  async accept<T>(upload: () => Promise<T>): Promise<T> {
    if (this.#waiting >= limits.datasetImportsWaiting)
      throw new CarrelError(
        'no_capacity',
        `Cannot add the dataset: ${limits.datasetImportsWaiting} others are being added`,
      )
    this.#waiting += 1
    try {
      return await upload()
    } finally {
      this.#waiting -= 1
    }
  }
}
