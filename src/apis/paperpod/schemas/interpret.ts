import { Type } from 'typebox'
import { limits } from '../../../config/limits.ts'
import { kernelLanguages } from '../../../engine/computers/interpreters/kernel-programs.ts'
import { nullable, object } from '../../schema.ts'
import { nullableNumber, sessionId, text } from './shared.ts'

export const interpretBody = object({
  code: text('Program text', { minLength: 1, maxLength: limits.codeBytes }),
  language: Type.Optional(Type.Enum([...kernelLanguages], { description: 'What it is written in', default: 'python' })),
  sessionId,
  timeout: Type.Optional(
    Type.Number({
      description: 'Milliseconds until the code is interrupted; its variables are kept',
      default: limits.executeDefaultTimeoutMs,
      minimum: 1,
      maximum: limits.executeTimeoutMs,
    }),
  ),
})

const errorFields = {
  name: Type.String(),
  message: Type.String(),
  traceback: Type.Array(Type.String(), { description: 'Lines, without colours' }),
}

export const interpretAnswer = object({
  status: Type.Enum(['completed', 'error', 'timeout', 'interrupted', 'died']),
  language: Type.String(),
  sessionId: Type.String(),
  results: Type.Array(
    object({
      type: Type.Enum(['text', 'image', 'html', 'json', 'error']),
      text: Type.Optional(Type.String({ description: 'What was printed, or the plain form of a result' })),
      data: Type.Optional(Type.Unknown({ description: 'Of an image its base64, of JSON the value, else text' })),
      mimeType: Type.Optional(Type.String({ description: 'What data is' })),
      stream: Type.Optional(Type.Enum(['stdout', 'stderr'], { description: 'Only of printed text' })),
      isMainResult: Type.Optional(Type.Boolean({ description: 'True for the value of the last expression' })),
      formats: Type.Optional(
        Type.Record(Type.String(), Type.Unknown(), { description: 'Further forms of the same, by media type' }),
      ),
      name: Type.Optional(Type.String()),
      message: Type.Optional(Type.String()),
      traceback: Type.Optional(errorFields.traceback),
    }),
    { description: 'In the order in which they came about' },
  ),
  logs: object({ stdout: Type.String(), stderr: Type.String() }),
  error: nullable(object(errorFields)),
  executionCount: nullableNumber,
  kernelRestarted: Type.Boolean({ description: 'True when variables of earlier calls were gone before this one' }),
  restartReason: Type.Optional(Type.String({ description: 'How the kernel before this one ended' })),
  kernelLost: Type.Boolean({ description: 'True when the variables are gone after this call' }),
  truncated: Type.Boolean({ description: 'True when output beyond the limits was left out' }),
  durationMs: Type.Number(),
})
