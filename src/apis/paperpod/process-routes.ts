import { isoTime } from '../iso-time.ts'
import type { Static } from 'typebox'
import { limits } from '../../config/limits.ts'
import { findComputer, openComputer, type AccessibleComputer } from '../../engine/computers/access/open-computer.ts'
import type { Right } from '../../engine/computers/access/rights.ts'
import { openPorts } from '../../engine/computers/ports/open-ports.ts'
import type { Caller } from '../../engine/caller.ts'
import type { Engine } from '../../engine/engine.ts'
import { earlierProcess } from '../../engine/computers/processes/earlier-process.ts'
import { findProcess } from '../../engine/computers/processes/find-process.ts'
import { killProcess } from '../../engine/computers/processes/kill-process.ts'
import { listProcesses } from '../../engine/computers/processes/list-processes.ts'
import { readOutput } from '../../engine/computers/processes/read-output.ts'
import { startProcess } from '../../engine/computers/processes/start-process.ts'
import type { OpenPort, ProcessHandle, ProcessFacts } from '../../engine/types.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { claimOf } from '../../http/idempotency.ts'
import { holdUntilAnswered } from '../../http/large-response.ts'
import { Slices } from '../../slices.ts'
import { OutputDecoder } from '../../http/text-decoder.ts'
import { environmentOf } from '../environment.ts'
import { timeLimitMs } from '../time-limit.ts'
import { sandboxErrors } from './errors.ts'
import { portOf, processOf } from './mapping.ts'
import { hintsFor } from './process-hints.ts'
import {
  processGetAnswer,
  processGetBody,
  processKillAnswer,
  processKillBody,
  processListAnswer,
  processListBody,
  startAnswer,
  startBody,
} from './schemas/process.ts'

export function addProcessRoutes(app: App, engine: Engine): void {
  app.post(
    '/process/start',
    {
      schema: { body: startBody, response: { 200: startAnswer } },
      bodyLimit: limits.commandBodyBytes,
      config: {
        idempotent: true,
        documentation: {
          description: "Start background process (auto-terminates after 15 min, use 'ppod start' CLI for longer)",
          example: { command: 'python -m http.server 8080', processId: 'web' },
          errors: [...sandboxErrors, 'already_exists'],
        },
      },
    },
    async (request) => {
      const { body, caller } = request
      const claim = claimOf(request)
      if (claim?.hasStarted) return startAnswerOf(earlierProcess(engine, claim), body)
      using computer = await openComputer(engine, caller, { name: body.sessionId ?? '' }, 'run')
      const timeoutMs = timeLimitMs(body.timeout ?? limits.processDefaultTimeoutMs)
      const { command, processId: name, env, cwd } = body
      const program = { argv: ['bash', '-c', command] }
      const process = await startProcess(engine, computer, {
        kind: 'background',
        processId: claim?.processId,
        program,
        command,
        name,
        env: environmentOf(env),
        cwd,
        timeoutMs,
      })
      return startAnswerOf(process, body)
    },
  )

  app.post(
    '/process/list',
    {
      schema: { body: processListBody, response: { 200: processListAnswer } },
      config: {
        documentation: {
          description: 'List all processes',
          notes:
            'Lists running processes, and processes of /process/start that have ended. ports are the ports on which a process listens, detected from outside; hints say which call exposes them.',
          example: {},
        },
      },
    },
    async ({ body, caller }) => {
      const computer = await findComputer(engine, caller, { name: body.sessionId ?? '' }, 'look')
      const rows = computer ? await listProcesses(engine, computer, { all: body.all === true }) : []
      const ports = computer ? await portsFor(engine, computer, rows) : []
      return { success: true, processes: rows.map((row) => withPorts(row, ports, body.sessionId)) }
    },
  )

  app.post(
    '/process/get',
    {
      schema: { body: processGetBody, response: { 200: processGetAnswer } },
      config: {
        documentation: {
          description: 'Get process status',
          notes:
            'Returns about 1 MiB of output at a time; call again with the cursor of the last answer to get more. process.ports are the ports on which the process listens; process.hints say which call exposes them.',
          example: { processId: 'web' },
          errors: ['not_found'],
        },
      },
    },
    async (request) => {
      const { body, caller } = request
      const computer = await find(engine, caller, body, 'look')
      const row = await findProcess(engine, computer, body.processId)
      const process = withPorts(row, await portsFor(engine, computer, [row]), body.sessionId)
      if (row.state === 'running' || row.output_bytes > limits.uncountedBytes)
        holdUntilAnswered(request, await engine.budgets.memory.reserve(caller.accountId, logsMemoryBytes))
      return { success: true, process, logs: await logsOf(engine, computer, row, body.cursor ?? 0) }
    },
  )

  app.post(
    '/process/kill',
    {
      schema: { body: processKillBody, response: { 200: processKillAnswer } },
      config: {
        documentation: {
          description: 'Kill a process',
          notes: 'Also kills everything that the process started. Has no effect on a process that has already ended.',
          example: { processId: 'web' },
          errors: ['not_found'],
        },
      },
    },
    async ({ body, caller }) => {
      const computer = await find(engine, caller, body, 'run')
      const process = processOf(await killProcess(engine, computer, body.processId, body.signal ?? 'SIGTERM'))
      return { success: true, processId: process.processId, process }
    },
  )
}

function startAnswerOf({ processId: id, pid, startedAtMs }: ProcessHandle, body: Static<typeof startBody>) {
  const { command, processId = id, sessionId = '' } = body
  return {
    success: true,
    processId,
    id,
    pid,
    status: 'running',
    command,
    startedAt: isoTime(startedAtMs),
    sessionId,
    hints: hintsFor(processId, sessionId),
  }
}

/** Returns the open ports of a computer; none if none of these processes is running. */
async function portsFor(engine: Engine, computer: AccessibleComputer, rows: ProcessFacts[]): Promise<OpenPort[]> {
  return rows.some(({ state }) => state === 'running') ? openPorts(engine, computer) : []
}

function withPorts(row: ProcessFacts, open: OpenPort[], sessionId = '') {
  const own = open.filter(({ processId }) => processId === row.id)
  const hints = row.state === 'running' ? { hints: hintsFor(row.name, sessionId, own) } : {}
  return { ...processOf(row), ports: own.map(portOf), ...hints }
}

/** Reads one part of the output, and more if the part ends inside a character or just before the end of the output. */
async function logsOf(engine: Engine, computer: AccessibleComputer, row: ProcessFacts, from: number) {
  const decoder = new OutputDecoder()
  const slices = new Slices(row.account_id)
  const logs = { stdout: '', stderr: '', cursor: from, truncated: false, done: false }
  let bytes = 0
  do {
    const { records, cursor, truncated, done } = await readOutput(engine, computer, row, logs.cursor)
    for (const record of records) logs[record.stream] += decoder.decode(record)
    Object.assign(logs, { cursor, done, truncated: truncated || logs.truncated })
    bytes += records.reduce((sum, { data }) => sum + data.length, 0)
    if (records.length === 0) break
    if (slices.isOver) await slices.next()
  } while (bytes < maxBytes && (decoder.pending || (row.state === 'ended' && bytes < partBytes)))
  for (const { stream, text } of decoder.rest()) logs[stream] += text
  return logs
}

/** Returns the sandbox in which to look up a process. Neither starts nor creates a sandbox. */
async function find<R extends Right>(
  engine: Engine,
  caller: Caller,
  { sessionId, processId }: { sessionId?: string; processId: string },
  right: R,
): Promise<AccessibleComputer<R>> {
  const computer = await findComputer(engine, caller, { name: sessionId ?? '' }, right)
  if (computer) return computer
  throw new CarrelError('not_found', `Cannot find process ${JSON.stringify(processId)}: there is no such sandbox yet`, {
    details: { field: 'sessionId' },
  })
}

const partBytes = 512 * 1024
/** The memory for one part: the text of one and a half MiB, which is itself joined from parts. */
const logsMemoryBytes = 4 * 1024 * 1024
/** If all characters have three bytes, two parts out of three end inside one; this many in a row hardly ever do. */
const maxBytes = 16 * 1024 * 1024
