/** What the surfaces see of the layers below the engine. */
export type { OpenPort } from './computers/live-events.ts'
export type { ProcessFacts } from './computers/processes/recorder.ts'
export type {
  ComputerFiles,
  ExitReason,
  FileChange,
  FileInfo,
  OpenFile,
  OutputPiece,
  OutputRecord,
  ProcessExit,
  ProcessHandle,
  StagedFile,
} from '../drivers/driver.ts'
