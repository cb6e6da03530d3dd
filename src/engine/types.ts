/** What the surfaces see of the layers below the engine. */
export type {
  OperationRow as OperationFacts,
  PortRow as PublishedPortFacts,
  SessionRow as SessionFacts,
  SnapshotRow as SnapshotFacts,
  SshKeyRow as SshKeyFacts,
} from '../db/schema.ts'
export type { AccessSession } from './computers/access-sessions/access-session.ts'
export type { OwnedRow as OwnedComputer } from './computers/access/look-up.ts'
export type { WantedSize } from './computers/durable/sizes.ts'
export type { Patch } from './computers/files/patch-file.ts'
export type { OpenPort } from './computers/live-events.ts'
export type { Share } from './computers/shares/share.ts'
export type { Terminal } from './computers/terminals/terminals.ts'
export type { ProcessFacts } from './computers/processes/recorder.ts'
export type {
  ComputerFiles,
  ExitReason,
  FileChange,
  FileInfo,
  ImageInfo,
  OpenFile,
  OutputPiece,
  OutputRecord,
  ProcessExit,
  ProcessHandle,
  StagedFile,
} from '../drivers/driver.ts'
