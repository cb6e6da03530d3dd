import { Type } from 'typebox'
import { limits } from '../../../config/limits.ts'
import { kernelLanguages } from '../../../engine/computers/interpreters/kernel-programs.ts'
import { nullable, object } from '../../schema.ts'
import { timeLimit } from '../../time-limit.ts'
import { nullableNumber, sessionId, text } from './shared.ts'

export const interpretBody = object({
  code: text('Program text', { maxLength: limits.codeBytes }),
  language: Type.Optional(
    Type.Enum([...kernelLanguages], { description: 'The language of the code', default: 'python' }),
  ),
  sessionId,
  timeout: Type.Optional(
    timeLimit('the code is interrupted, whose variables are kept', limits.executeDefaultTimeoutMs),
  ),
})

const errorFields = {
  name: Type.String(),
  message: Type.String(),
  traceback: Type.Array(Type.String(), { description: 'Lines, without color codes' }),
}

export const interpretAnswer = object({
  status: Type.Enum(['completed', 'error', 'timeout', 'interrupted', 'died']),
  language: Type.String(),
  sessionId: Type.String(),
  results: Type.Array(
    object({
      type: Type.Enum(['text', 'image', 'html', 'json', 'error']),
      text: Type.Optional(
        Type.String({
          description:
            'Printed text, or the plain text form of a result: of HTML the text in it, of Markdown and LaTeX the source',
        }),
      ),
      data: Type.Optional(Type.Unknown({ description: 'Base64 of an image, the value of JSON, otherwise text' })),
      mimeType: Type.Optional(Type.String({ description: 'The media type of data' })),
      stream: Type.Optional(Type.Enum(['stdout', 'stderr'], { description: 'Only for printed text' })),
      isMainResult: Type.Optional(Type.Boolean({ description: 'True for the value of the last expression' })),
      formats: Type.Optional(
        Type.Record(Type.String(), Type.Unknown(), { description: 'More forms of the same result, by media type' }),
      ),
      name: Type.Optional(Type.String()),
      message: Type.Optional(Type.String()),
      traceback: Type.Optional(errorFields.traceback),
    }),
    { description: 'In the order in which they were produced' },
  ),
  logs: object({ stdout: Type.String(), stderr: Type.String() }),
  error: nullable(object(errorFields)),
  executionCount: nullableNumber,
  kernelRestarted: Type.Boolean({ description: 'True if the variables of earlier calls were lost before this call' }),
  restartReason: Type.Optional(Type.String({ description: 'How the previous kernel ended' })),
  kernelLost: Type.Boolean({ description: 'True if the variables were lost during this call' }),
  truncated: Type.Boolean({ description: 'True if output beyond the limits was left out' }),
  durationMs: Type.Number(),
})
