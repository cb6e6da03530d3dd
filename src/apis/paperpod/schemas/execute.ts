import { Type } from 'typebox'
import { limits } from '../../../config/limits.ts'
import { languages } from '../../../engine/computers/processes/program.ts'
import { nullableText, object } from '../../schema.ts'
import { timeLimit } from '../../time-limit.ts'
import { cwd, env, nullableNumber, sessionId, text } from './shared.ts'

export const executeBody = object({
  code: text('Program text', { maxLength: limits.codeBytes }),
  language: Type.Enum([...languages], { description: 'The language of the code' }),
  sessionId,
  timeout: Type.Optional(
    timeLimit('the code and everything that it started is killed', limits.executeDefaultTimeoutMs),
  ),
  env,
  cwd,
})

export const exitFields = {
  exitCode: nullableNumber,
  signal: nullableText(),
  reason: Type.String({ description: 'exited, signalled, timeout, oom, disk_full, stopped, disconnected or lost' }),
  truncated: Type.Boolean({ description: 'True if the oldest output was dropped' }),
  durationMs: Type.Number(),
}

export const executeAnswer = object({
  status: Type.Enum(['completed', 'timeout', 'oom', 'killed', 'lost']),
  processId: Type.String(),
  sessionId: Type.String(),
  result: object({
    stdout: Type.String(),
    stderr: Type.String(),
    stdoutBase64: Type.Optional(Type.String({ description: 'Only if stdout is not UTF-8' })),
    stderrBase64: Type.Optional(Type.String({ description: 'Only if stderr is not UTF-8' })),
    ...exitFields,
  }),
})
