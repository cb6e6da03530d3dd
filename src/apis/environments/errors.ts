import { Type } from 'typebox'
import type { CarrelError, ErrorCode } from '../../errors.ts'
import type { Refused } from '../../http/error-envelope.ts'
import { ownErrorFields, ownErrorFieldsOf } from '../own-errors.ts'
import { invalidPart } from './invalid-part.ts'

export function codeOf(code: ErrorCode): string {
  return code.toUpperCase()
}

/** A bad value is 422, as FastAPI has it. */
export function statusOf(error: CarrelError, request: Refused): number {
  return invalidPart(error, request) ? 422 : error.status
}

/** FastAPI's error body: `detail` is the code and the sentence, or a list of what is wrong with the request. Carrel's fields stand beside it. */
export function errorBody(error: CarrelError, requestId: string, request: Refused): Record<string, unknown> {
  const part = invalidPart(error, request)
  const detail = part ? [part] : { code: codeOf(error.code), message: error.message }
  return { ...ownErrorFieldsOf(error, requestId), error: error.message, detail }
}

const more = {
  error: Type.String({ description: 'What went wrong, in a sentence' }),
  ...ownErrorFields,
}
const open = { additionalProperties: true, description: 'Facts of the case, such as a limit, are further fields' }

export const errorAnswer = Type.Object(
  {
    detail: Type.Object({
      code: Type.String({ description: 'What went wrong, for programs, such as NOT_FOUND' }),
      message: Type.String({ description: 'The same in a sentence' }),
    }),
    ...more,
  },
  open,
)

export const invalidAnswer = Type.Object(
  {
    detail: Type.Array(
      Type.Object({
        loc: Type.Array(Type.Union([Type.String(), Type.Integer()]), {
          description: 'Where it is: body, query or path, and the way to the field in it',
        }),
        msg: Type.String({ description: 'What is wrong with it, in a sentence' }),
        type: Type.String({ description: 'The same for programs, such as missing' }),
      }),
    ),
    ...more,
  },
  open,
)
