/** Reads an upload in a thread of its own: see `read-upload.ts`. */
import { parentPort, workerData } from 'node:worker_threads'
import { TaskProblem } from '../formats/task-problem.ts'
import { readUpload, type UploadJob } from './read-upload.ts'

try {
  parentPort?.postMessage({ report: await readUpload(workerData as UploadJob) })
} catch (error) {
  if (!(error instanceof TaskProblem)) throw error
  parentPort?.postMessage({ problem: error.message })
}
