import { CarrelError } from '../../errors.ts'

/** Returns the error for a stream that is not a whole snapshot. */
export function damaged(why: string, cause?: unknown): CarrelError {
  if (cause instanceof CarrelError) return cause
  return new CarrelError('invalid_request', `Cannot import the snapshot: its stream is damaged: ${why}`, { cause })
}
