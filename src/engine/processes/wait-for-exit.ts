import type { ProcessExit, ProcessHandle } from '../../drivers/driver.ts'
import { CarrelError } from '../../errors.ts'
import type { Engine } from '../engine.ts'

/** The end of a process. Rejects with `process_goes_on` when the server has to end before it. */
export async function waitForExit({ closing }: Pick<Engine, 'closing'>, process: ProcessHandle): Promise<ProcessExit> {
  const { promise, reject } = Promise.withResolvers<never>()
  const giveUp = () => reject(processGoesOn(process))
  if (closing.aborted) giveUp()
  closing.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([process.wait(), promise])
  } finally {
    closing.removeEventListener('abort', giveUp)
  }
}

/** @param cursor where the caller can read its output on from */
export function processGoesOn({ processId }: ProcessHandle, cursor = 0): CarrelError {
  return new CarrelError('process_goes_on', `Cannot wait for process "${processId}": the server is being stopped`, {
    details: { processId, cursor },
  })
}
