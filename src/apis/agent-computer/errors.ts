import { Type } from 'typebox'
import type { CarrelError, ErrorCode } from '../../errors.ts'
import { ownErrorFields, ownErrorFieldsOf } from '../own-errors.ts'

/** In lower case, as `not_found`, which is of an address that is none, too. */
export function codeOf(code: ErrorCode): string {
  return code === 'route_not_found' ? 'not_found' : code
}

/** Agent Computer's error body. What its clients do not ask for stands beside `error`. */
export function errorBody(error: CarrelError, requestId: string): Record<string, unknown> {
  return { ...ownErrorFieldsOf(error, requestId), error: { code: codeOf(error.code), message: error.message } }
}

export const errorAnswer = Type.Object(
  {
    error: Type.Object({
      code: Type.String({ description: 'What went wrong, for programs, such as not_found' }),
      message: Type.String({ description: 'The same in a sentence' }),
    }),
    ...ownErrorFields,
  },
  { additionalProperties: true, description: 'Facts of the case, such as a limit, are further fields' },
)
