import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { kernelLanguages } from '../../engine/computers/interpreters/kernel-programs.ts'
import { languages } from '../../engine/computers/processes/program.ts'
import { patterns } from '../../http/patterns.ts'
import { object, pageOrJson } from '../schema.ts'

const text = (description: string, options: { maxLength?: number; minLength?: number } = {}) =>
  Type.String({ description, ...options })

export const sessionName = Type.String({
  description: 'Picks a sandbox of the account by name; none means its default one',
  maxLength: limits.sessionIdLength,
  pattern: patterns.sessionName.source,
})
export const sessionId = Type.Optional(sessionName)

const env = Type.Optional(
  Type.Record(Type.String(), Type.String(), {
    description: 'Environment variables',
    maxProperties: limits.environmentEntries,
  }),
)
const cwd = Type.Optional(text('Working directory; /workspace by default', { maxLength: 4096, minLength: 1 }))
const path = text('File path in the sandbox; a relative one is under /workspace', { maxLength: 8192, minLength: 1 })

export const executeBody = object({
  code: text('Program text', { maxLength: limits.codeBytes }),
  language: Type.Enum([...languages], { description: 'What it is written in' }),
  sessionId,
  timeout: Type.Optional(
    Type.Number({
      description: 'Milliseconds until everything it started is killed',
      default: limits.executeDefaultTimeoutMs,
      minimum: 1,
      maximum: limits.executeTimeoutMs,
    }),
  ),
  env,
  cwd,
})

const nullableNumber = Type.Union([Type.Integer(), Type.Null()])
const nullableText = Type.Union([Type.String(), Type.Null()])

export const exitFields = {
  exitCode: nullableNumber,
  signal: nullableText,
  reason: Type.String({ description: 'exited, signalled, timeout, oom, disk_full, stopped or lost' }),
  truncated: Type.Boolean({ description: 'True when the oldest output was dropped' }),
  durationMs: Type.Number(),
}

export const executeAnswer = object({
  status: Type.Enum(['completed', 'timeout', 'oom', 'killed', 'lost']),
  processId: Type.String(),
  sessionId: Type.String(),
  result: object({
    stdout: Type.String(),
    stderr: Type.String(),
    stdoutBase64: Type.Optional(Type.String({ description: 'Only when stdout is not UTF-8' })),
    stderrBase64: Type.Optional(Type.String({ description: 'Only when stderr is not UTF-8' })),
    ...exitFields,
  }),
})

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
  error: Type.Union([object(errorFields), Type.Null()]),
  executionCount: nullableNumber,
  kernelRestarted: Type.Boolean({ description: 'True when variables of earlier calls were gone before this one' }),
  restartReason: Type.Optional(Type.String({ description: 'How the kernel before this one ended' })),
  kernelLost: Type.Boolean({ description: 'True when the variables are gone after this call' }),
  truncated: Type.Boolean({ description: 'True when output beyond the limits was left out' }),
  durationMs: Type.Number(),
})

export const eventStreamAnswer = {
  description: 'Server-sent events',
  content: { 'text/event-stream': { schema: Type.String() } },
}

const encoding = Type.Optional(
  Type.Enum(['utf8', 'base64'], { description: 'How content is written in JSON', default: 'utf8' }),
)

export const fileMode = Type.Integer({
  description: 'Permission bits as a decimal number, e.g. 493 for 0755',
  minimum: 0,
  maximum: 4095,
})
export const writeBody = object({
  path,
  content: text('What the file will hold'),
  encoding,
  mode: Type.Optional(fileMode),
  sessionId,
})
export const writeAnswer = object({
  success: Type.Boolean(),
  path: Type.String(),
  size: Type.Integer(),
  sessionId: Type.String(),
})
export const readBody = object({ path, encoding, sessionId })
export const readAnswer = object({
  success: Type.Boolean(),
  path: Type.String(),
  content: Type.String(),
  encoding: Type.String(),
  size: Type.Integer(),
})
export const pathBody = object({ path, sessionId })
export const listBody = object({
  path,
  limit: Type.Optional(
    Type.Integer({
      description: 'Entries at most',
      minimum: 1,
      maximum: limits.listEntries,
      default: limits.listEntries,
    }),
  ),
  cursor: Type.Optional(
    Type.String({
      description: 'Entries behind those that came with it',
      minLength: 1,
      maxLength: 512,
      pattern: patterns.listCursor.source,
    }),
  ),
  sessionId,
})
export const listAnswer = object({
  success: Type.Boolean(),
  path: Type.String(),
  files: Type.Array(
    object({
      name: Type.String(),
      nameBase64: Type.Optional(
        Type.String({ description: 'The name as it is, where it is not UTF-8; name and path only resemble it then' }),
      ),
      path: Type.String(),
      type: Type.Enum(['file', 'directory', 'symlink', 'other']),
      size: Type.Integer(),
      mode: Type.Integer(),
      modified: Type.String(),
      target: Type.Optional(Type.String()),
    }),
  ),
  truncated: Type.Optional(Type.Boolean({ description: 'Only when there are more: true' })),
  cursor: Type.Optional(Type.String({ description: 'Only when there are more: to be sent for them' })),
})
export const mkdirAnswer = object({ success: Type.Boolean(), path: Type.String() })
export const uploadAnswer = object({
  success: Type.Boolean(),
  path: Type.String(),
  size: Type.Integer(),
  originalName: Type.String(),
  sessionId: Type.String(),
})
export const uploadForm = object({
  file: Type.String({ format: 'binary', description: 'Binary file to upload' }),
  path: text('Destination path in the sandbox; a relative one is under /workspace'),
  mode: Type.Optional(fileMode),
  sessionId,
})
const binary = {
  description: 'The bytes; the Content-Type is by the file extension',
  content: { 'application/octet-stream': { schema: Type.String({ format: 'binary' }) } },
}
export const downloadAnswer = { 200: binary, 206: binary }
export const downloadQuery = object({ path, sessionId })

const globs = (description: string) =>
  Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: limits.globLength }), {
      description,
      maxItems: limits.watchGlobs,
    }),
  )

export const watchBody = object({
  path: text('Directory in the sandbox; a relative one is under /workspace', { maxLength: 8192, minLength: 1 }),
  recursive: Type.Optional(Type.Boolean({ description: 'Also what is in directories below', default: true })),
  include: globs('Glob allowlist. Cannot be used together with exclude.'),
  exclude: globs('Glob blocklist. Cannot be used together with include.'),
  sessionId,
})

export const processId = Type.String({ description: 'Process id', minLength: 1, maxLength: limits.processIdLength })

export const startBody = object({
  command: text('Command line, run by bash', { minLength: 1, maxLength: limits.commandLength }),
  processId: Type.Optional(
    Type.String({
      description: 'A name of your own for it',
      minLength: 1,
      maxLength: limits.processIdLength,
      pattern: patterns.processName.source,
    }),
  ),
  sessionId,
  env,
  cwd,
  timeout: Type.Optional(
    Type.Number({
      description: 'Milliseconds until it is ended; 0 for no limit',
      default: limits.processDefaultTimeoutMs,
      minimum: 0,
      maximum: limits.processTimeoutMs,
    }),
  ),
})

const pid = Type.Integer({ description: 'Process id inside the sandbox; 0 when it is not known' })
export const processObject = object({
  processId: Type.String(),
  id: Type.String({ description: 'Unique for ever' }),
  pid,
  command: Type.String(),
  status: Type.Enum(['running', 'completed', 'failed', 'killed', 'timeout', 'oom', 'stopped', 'lost']),
  exitCode: nullableNumber,
  signal: nullableText,
  reason: nullableText,
  startedAt: Type.String(),
  endedAt: nullableText,
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
      address: Type.String({ description: 'Where it is bound' }),
      canExpose: Type.Boolean({ description: 'Whether POST /expose gives it a preview that works' }),
      detectedAt: Type.String(),
    }),
    { description: 'TCP ports on which the process, or what it started, listens' },
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
  startedAt: Type.String(),
  sessionId: Type.String(),
  hints: processHints,
})
export const processListBody = object({
  sessionId,
  all: Type.Optional(
    Type.Boolean({ description: 'Also commands that have ended, of /execute and others', default: false }),
  ),
})
export const processListAnswer = object({ success: Type.Boolean(), processes: Type.Array(listeningProcess) })
export const processGetBody = object({
  processId,
  sessionId,
  cursor: Type.Optional(
    Type.Integer({ description: 'Output from here on; 0 is all that is kept', minimum: 0, default: 0 }),
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

export const exposeBody = object({
  port: Type.Integer({ description: '1-65535 (avoid 3000-3010 reserved)', minimum: 1, maximum: 65_535 }),
  sessionId,
})
export const exposeAnswer = object({
  url: Type.String(),
  wsUrl: Type.String(),
  exposedAt: Type.String(),
  port: Type.Integer(),
  sessionId: Type.String(),
})

export const discoveryAnswer = Type.Object(
  { name: Type.String(), baseUrl: Type.String(), endpoints: Type.Record(Type.String(), Type.Unknown()) },
  { additionalProperties: true },
)

export const healthAnswer = object({
  status: text('ok: the server answers'),
  service: Type.String(),
  version: Type.String(),
  timestamp: Type.String(),
  helpers: Type.Record(
    Type.String(),
    object({
      status: text('ok or degraded'),
      since: text('Since when it is so'),
      reason: Type.Optional(text('What does not work, of one that is degraded')),
    }),
    { description: 'What the server works with, by name' },
  ),
})

const memoryPath = text("File path (e.g. 'data/results.json')", { minLength: 1, maxLength: limits.memoryPathLength })

export const memoryWriteBody = object({ path: memoryPath, content: text('What the file will hold') })
export const memoryWriteAnswer = object({ success: Type.Boolean(), size: Type.Integer(), path: Type.String() })
export const memoryPathBody = object({ path: memoryPath })
export const memoryReadAnswer = object({ success: Type.Boolean(), content: Type.String(), size: Type.Integer() })
export const memoryListBody = object({
  prefix: Type.Optional(text('Only paths that begin with it', { maxLength: limits.memoryPathLength })),
})
export const memoryListAnswer = object({
  success: Type.Boolean(),
  files: Type.Array(object({ path: Type.String(), size: Type.Integer(), modified: Type.String() })),
})
export const memoryDeleteAnswer = object({ success: Type.Boolean(), path: Type.String() })
export const memoryUsageAnswer = object({
  usedBytes: Type.Integer(),
  quotaBytes: Type.Integer(),
  fileCount: Type.Integer(),
})

export const socketTicketAnswer = object({
  ticket: Type.String({ description: 'Opens one WebSocket, as ?ticket=' }),
  expiresIn: Type.Integer({ description: 'Seconds' }),
  url: Type.String({ description: 'With the ticket in it' }),
})
export const socketSessionAnswer = object({
  deprecated: Type.Boolean(),
  token: Type.String({ description: 'Opens one WebSocket, as ?token=' }),
  expiresIn: Type.Integer({ description: 'Seconds' }),
  url: Type.String(),
  replacement: Type.String(),
  notes: Type.String(),
})

export const balanceAnswer = object({
  creditsRemaining: Type.Number({ description: 'US dollars' }),
  creditsRemainingUsdc: Type.String({ description: 'The same with six decimals' }),
  tokenExpiresAt: Type.Optional(Type.String({ description: 'When the token that asks ends' })),
})

const offerAnswer = object({
  tiers: Type.Array(
    object({
      tier: Type.String(),
      amountCents: Type.Integer({ description: 'What it costs' }),
      creditsAdded: Type.Number({ description: 'US dollars, the bonus included' }),
      bonusPercent: Type.Number(),
      computeHours: Type.Optional(
        Type.Integer({ description: 'For which it pays, about; left out where compute costs nothing' }),
      ),
    }),
  ),
  customAmount: object({ minimumCents: Type.Integer(), maximumCents: Type.Integer() }),
  paymentMethodsAccepted: Type.Array(Type.String(), { description: 'By POST /topup: tempo, stripe' }),
  checkout: Type.Boolean({ description: 'True when a person can pay on a page' }),
  agentInstruction: Type.String(),
})
export const offerAnswers = pageOrJson('A page', offerAnswer)
export const topUpBody = object({
  tier: Type.Optional(text('Credit package, by its name', { maxLength: 100, minLength: 1 })),
  amountCents: Type.Optional(
    Type.Number({
      description: 'Custom amount in whole cents, instead of a package; GET /topup says from how many to how many',
    }),
  ),
})
export const topUpAnswer = object({
  success: Type.Boolean(),
  amountCents: Type.Integer({ description: 'What was paid' }),
  creditsAdded: Type.Number({ description: 'US dollars, the bonus included' }),
  creditsRemaining: Type.Number({ description: 'US dollars' }),
  paymentMethodsAccepted: Type.Array(Type.String(), { description: 'tempo, stripe' }),
})

export const loginBody = object({
  email: Type.Optional(Type.String({ description: 'Email for magic link auth', format: 'email', maxLength: 254 })),
  wallet: Type.Optional(
    text('0x wallet address for zero-dollar MPP identity auth, instead of an email', { maxLength: 42, minLength: 42 }),
  ),
})
/** The first two for `email`, the others for `wallet`. */
export const loginAnswer = object({
  success: Type.Optional(Type.Boolean()),
  message: Type.Optional(Type.String()),
  token: Type.Optional(Type.String({ description: 'A session token, which is told this once' })),
  wallet: Type.Optional(Type.String({ description: 'With its checksum (EIP-55)' })),
  creditsRemaining: Type.Optional(Type.Number({ description: 'US dollars' })),
})
export const loginCallbackQuery = object({
  token: text('The code of the link', { maxLength: 100, minLength: 1 }),
})
const sessionFields = {
  token: Type.String({ description: 'The new token, which is told this once' }),
  expiresIn: Type.Integer({ description: 'Seconds' }),
  userId: Type.String(),
}
export const loginCallbackAnswer = pageOrJson('A page with the token, which is shown this once', object(sessionFields))
export const readLinkAnswer = pageOrJson(
  'A page with a button that signs in; opening it does not use the link up',
  object({ email: Type.String(), message: Type.String() }),
)
