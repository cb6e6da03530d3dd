import type { Task } from '../../task.ts'

/** A task as the thread that reads uploads passes it on. */
export interface ReadSample {
  sampleId: string
  contentHash: string
  archiveBytes: number
  task: Task
}

export interface RefusedTask {
  /** The folder, or the file and the line. */
  task: string
  reason: string
}

export interface UploadReport {
  /** '' if the dataset says nothing of itself. */
  description: string
  count: number
  refused: RefusedTask[]
  /** How many were refused, also beyond those that are listed. */
  refusals: number
}
