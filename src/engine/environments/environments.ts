import { Uploads } from './datasets/upload/uploads.ts'

/** What environments keep in memory, in addition to what the rooms below them do. */
export interface Environments {
  datasetUploads: Uploads
}

export function openEnvironments(): Environments {
  return { datasetUploads: new Uploads() }
}
