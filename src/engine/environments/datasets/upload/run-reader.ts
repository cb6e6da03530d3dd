import { Worker } from 'node:worker_threads'
import { limits } from '../../../../config/limits.ts'
import { CarrelError } from '../../../../errors.ts'
import type { UploadJob } from './read-upload.ts'
import type { UploadReport } from './upload-report.ts'

type Message = { report: UploadReport } | { problem: string }

/**
 * Reads an upload in a thread of its own. Throws `invalid_request` for one that is no dataset, `too_large` for one that
 * takes too much memory or time.
 *
 * @param signal ends the thread
 */
export async function runReader(job: UploadJob, signal: AbortSignal): Promise<UploadReport> {
  const worker = new Worker(new URL('read-upload-worker.ts', import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: limits.datasetImportMemoryMiB },
  })
  const { promise, resolve, reject } = Promise.withResolvers<Message>()
  worker.once('message', resolve).once('error', reject)
  worker.once('exit', () => reject(new Error('the thread that reads uploads ended')))
  const stop = () => reject(new CarrelError('unavailable', 'Cannot add the dataset: the server is stopping'))
  signal.addEventListener('abort', stop)
  const timer = setTimeout(
    () => reject(tooLarge(`it takes more than ${limits.datasetImportMs / 60_000} minutes`)),
    limits.datasetImportMs,
  )
  try {
    const message = await promise
    if ('report' in message) return message.report
    throw new CarrelError('invalid_request', `Cannot add the dataset: ${message.problem}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error
    throw tooLarge('a task takes too much memory')
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    await worker.terminate()
  }
}

function tooLarge(reason: string): CarrelError {
  return new CarrelError('too_large', `Cannot add the dataset: ${reason}`)
}
