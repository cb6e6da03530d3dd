import { Type } from 'typebox'
import { limits } from '../../../config/limits.ts'
import { patterns } from '../../../http/patterns.ts'
import { nullableText, object } from '../../schema.ts'
import { timeLimit } from '../../time-limit.ts'
import { cwd, env, nullableNumber, sessionId, text } from './shared.ts'

export const processId = Type.String({ description: 'Process id', minLength: 1, maxLength: limits.processIdLength })

export const startBody = object({
  command: text('Command line, run by bash', { maxLength: limits.commandLength }),
  processId: Type.Optional(
    Type.String({
      description: 'A name that you choose for the process',
      minLength: 1,
      maxLength: limits.processIdLength,
      pattern: patterns.processName.source,
    }),
  ),
  sessionId,
  env,
  cwd,
  timeout: Type.Optional(timeLimit('the process is ended', limits.processDefaultTimeoutMs)),
})

const pid = Type.Integer({ description: 'Process id inside the sandbox; 0 if unknown' })

export const processObject = object({
  processId: Type.String({ description: 'The name that was chosen for the process, otherwise its id' }),
  id: Type.String({ description: 'Unique, and never reused' }),
  pid,
  command: Type.String({ description: 'The command line, or its beginning if it is long' }),
  status: Type.Enum(['running', 'completed', 'failed', 'killed', 'timeout', 'oom', 'stopped', 'lost']),
  exitCode: nullableNumber,
  signal: nullableText(),
  reason: nullableText(),
  startedAt: Type.String({ description: 'ISO 8601, in UTC' }),
  endedAt: nullableText(),
})

const processHints = object({
  exposePort: Type.String(),
  checkStatus: Type.String(),
  stopProcess: Type.String(),
  bindAddress: Type.String(),
})

export const listeningProcess = object({
  ...processObject.properties,
  ports: Type.Array(
    object({
      port: Type.Integer(),
      address: Type.String({ description: 'The address that the port is bound to' }),
      canExpose: Type.Boolean({ description: 'Whether POST /expose can preview the port' }),
      detectedAt: Type.String(),
    }),
    { description: 'TCP ports on which the process, or anything that it started, listens' },
  ),
  hints: Type.Optional(processHints),
})

export const startAnswer = object({
  success: Type.Boolean(),
  processId: Type.String(),
  id: Type.String(),
  pid,
  status: Type.String(),
  command: Type.String(),
  startedAt: Type.String({ description: 'ISO 8601, in UTC' }),
  sessionId: Type.String(),
  hints: processHints,
})

export const processListBody = object({
  sessionId,
  all: Type.Optional(
    Type.Boolean({ description: 'Also list ended commands of /execute and other routes', default: false }),
  ),
})

export const processListAnswer = object({ success: Type.Boolean(), processes: Type.Array(listeningProcess) })

export const processGetBody = object({
  processId,
  sessionId,
  cursor: Type.Optional(
    Type.Integer({ description: 'Output after this cursor; 0 means all output that is kept', minimum: 0, default: 0 }),
  ),
})

export const processGetAnswer = object({
  success: Type.Boolean(),
  process: listeningProcess,
  logs: object({
    stdout: Type.String(),
    stderr: Type.String(),
    cursor: Type.Integer(),
    truncated: Type.Boolean(),
    done: Type.Boolean(),
  }),
})

export const processKillBody = object({
  processId,
  sessionId,
  signal: Type.Optional(
    Type.Enum(['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'], {
      description: 'SIGTERM is followed by SIGKILL',
      default: 'SIGTERM',
    }),
  ),
})

export const processKillAnswer = object({ success: Type.Boolean(), processId: Type.String(), process: processObject })
