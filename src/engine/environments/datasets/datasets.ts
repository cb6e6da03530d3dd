import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import type { Settings } from '../../../config/settings.ts'
import type { Database } from '../../../db/schema.ts'
import type { ServerState } from '../../context.ts'
import type { Locks } from '../../locks.ts'
import type { Uploads } from './upload/uploads.ts'

/** What adding and removing datasets uses of the engine. */
export interface DatasetContext {
  db: Kysely<Database>
  settings: Pick<Settings, 'dataDirectory' | 'diskReserveBytes'>
  log: Logger
  server: Pick<ServerState, 'ownerId' | 'closing'>
  datasetUploads: Uploads
  locks: Locks
}
