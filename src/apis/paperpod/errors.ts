import type { CarrelError, ErrorCode } from '../../errors.ts'
import { ownErrorFieldsOf } from '../own-errors.ts'

/** PaperPod's error body: `error`, a sentence, with what Carrel tells of every error. */
export function errorBody(error: CarrelError, requestId: string): Record<string, unknown> {
  return { ...ownErrorFieldsOf(error, requestId), error: error.message }
}

/** What every route can answer that makes or starts a sandbox. */
export const sandboxErrors = [
  'out_of_credits',
  'spending_limit_reached',
  'limit_reached',
  'no_capacity',
  'image_missing',
] as const satisfies ErrorCode[]
