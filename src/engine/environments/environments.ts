import type { ComputersContext } from '../computers/computers.ts'
import type { Uploads } from './datasets/upload/uploads.ts'
import type { SessionWatch } from './sessions/session-watch.ts'

/** What the room of environments keeps in memory. */
export interface Environments {
  datasetUploads: Uploads
  sessionWatch: SessionWatch
  /** The interactions whose process this server starts or waits for. */
  openInteractions: Set<string>
}

/** What the functions of the room of environments may use. */
export type EnvironmentsContext = ComputersContext & Environments
