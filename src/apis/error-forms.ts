import type { ErrorForm } from '../http/error-form.ts'
import { errorBody as paperpodBody } from './paperpod/errors.ts'
import { errorAnswer as paperpodAnswer } from './paperpod/schemas.ts'
import { codeOf as pawpadoCode, errorBody as pawpadoBody } from './pawpado/errors.ts'
import { errorAnswer as pawpadoAnswer } from './pawpado/schemas.ts'

/** The envelopes of all surfaces. Those that have none of their own answer in PaperPod's. */
export const errorForms: readonly ErrorForm[] = [
  { under: '/api/v1', name: 'PawpadoError', schema: pawpadoAnswer, body: pawpadoBody, codeOf: pawpadoCode },
  {
    under: '',
    name: 'Error',
    schema: paperpodAnswer,
    body: paperpodBody,
    codeOf: (code) => code.toUpperCase(),
  },
]
