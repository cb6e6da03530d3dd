import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { limits } from '../../config/limits.ts'
import { openComputer } from '../../engine/computers/access/open-computer.ts'
import { assertWasPaid } from '../../engine/computers/credit/assert-credit.ts'
import type { Engine } from '../../engine/engine.ts'
import { endWhenGone } from '../../engine/computers/processes/end-abandoned.ts'
import { execute, resumeExecution, type Execution } from '../../engine/computers/processes/execute.ts'
import { programFor } from '../../engine/computers/processes/program.ts'
import { startProcess, type ProcessOptions } from '../../engine/computers/processes/start-process.ts'
import { OverdueWatchdog, processGoesOn } from '../../engine/computers/processes/wait-for-exit.ts'
import { asCarrelError, CarrelError } from '../../errors.ts'
import type { ProcessHandle } from '../../engine/types.ts'
import { EventStream } from '../../http/event-stream.ts'
import { claimOf, idempotencyKeyOf } from '../../http/idempotency.ts'
import { holdUntilAnswered } from '../../http/large-response.ts'
import { logFailure } from '../../http/log-failure.ts'
import { OutputDecoder } from '../../http/text-decoder.ts'
import type { App } from '../../http/app.ts'
import { clientLeft } from '../../http/client-left.ts'
import { environmentOf } from '../environment.ts'
import { timeLimitMs } from '../time-limit.ts'
import { executeEvents } from './execute-events.ts'
import { errorBody, sandboxErrors } from './errors.ts'
import { executeAnswerOf, exitFieldsOf } from './mapping.ts'
import { executeAnswer, executeBody } from './schemas/execute.ts'
import { eventStreamAnswer } from './schemas/shared.ts'

type ExecuteBody = Static<typeof executeBody>

export function addExecuteRoutes(app: App, engine: Engine): void {
  app.post(
    '/execute',
    {
      schema: { body: executeBody, response: { 200: executeAnswer } },
      bodyLimit: limits.codeBodyBytes,
      config: {
        idempotent: true,
        documentation: {
          description: 'Execute Python, JavaScript or shell code',
          notes:
            'A non-zero exit code is not an error of the request. status is completed, timeout, oom, killed or lost. The code is ended, with everything that it started, when the client disconnects without having sent an Idempotency-Key. If the server is stopped or killed while code runs that was sent with an Idempotency-Key, a repeated request does not run the code again: it waits for the first run.',
          example: { code: "print('hello')", language: 'python' },
          errors: sandboxErrors,
        },
      },
    },
    async (request, reply) => {
      const sessionId = request.body.sessionId ?? ''
      const left = clientLeft(request, reply)
      const claim = claimOf(request)
      const execution = claim?.hasStarted
        ? await resumeExecution(engine, claim)
        : await executeIn(engine, request, { ...optionsOf(request.body), processId: claim?.processId }, left)
      holdUntilAnswered(request, execution.release)
      const answer = executeAnswerOf(execution, sessionId)
      await assertWasPaid(engine, execution.process, answer)
      return answer
    },
  )

  app.post(
    '/execute/stream',
    {
      schema: { body: executeBody },
      bodyLimit: limits.codeBodyBytes,
      config: {
        documentation: {
          description: 'Execute code with streaming output (SSE)',
          params: 'Same as /execute',
          returns:
            'Server-Sent Events: start, stdout, stderr, complete or error; the id of an event is the output cursor after it',
          notes:
            'The code is ended, with everything that it started, when the client disconnects. A stream cannot be repeated: a request with an Idempotency-Key is refused. Use /execute with a key instead.',
          answers: { 200: eventStreamAnswer },
          messages: executeEvents,
          example: { code: 'for i in range(3): print(i, flush=True)', language: 'python' },
          errors: sandboxErrors,
        },
      },
    },
    (request, reply) => stream(engine, request as FastifyRequest<{ Body: ExecuteBody }>, reply),
  )
}

async function executeIn(
  engine: Engine,
  { caller, body }: Pick<FastifyRequest<{ Body: ExecuteBody }>, 'caller' | 'body'>,
  options: ProcessOptions,
  left: AbortSignal,
): Promise<Execution> {
  using computer = await openComputer(engine, caller, { name: body.sessionId ?? '' }, 'run')
  return await execute(engine, computer, options, left)
}

async function stream(
  engine: Engine,
  request: FastifyRequest<{ Body: ExecuteBody }>,
  reply: FastifyReply,
): Promise<void> {
  if (idempotencyKeyOf(request) !== undefined) {
    throw new CarrelError(
      'invalid_request',
      'Cannot use an Idempotency-Key on /execute/stream: a stream cannot be repeated; use /execute',
      { details: { field: 'Idempotency-Key' } },
    )
  }
  const sessionId = request.body.sessionId ?? ''
  const left = clientLeft(request, reply)
  using computer = await openComputer(engine, request.caller, { name: sessionId }, 'run')
  const process = await startProcess(engine, computer, optionsOf(request.body))
  const stopWatching = endWhenGone(engine.server, process, left)
  const events = new EventStream({ engine, request, reply, errorBody })
  try {
    await events.send('start', { processId: process.processId, sessionId }, 0)
    await sendOutput(engine, events, process)
  } catch (error) {
    const known = asCarrelError(error)
    logFailure(request.log, known)
    await events.send('error', errorBody(known, request.id))
  } finally {
    stopWatching()
    events.end()
  }
}

async function sendOutput(engine: Engine, events: EventStream, process: ProcessHandle): Promise<void> {
  const decoder = new OutputDecoder()
  let truncated = false
  let cursor = 0
  let done = false
  const late = new AbortController()
  const overdue = new OverdueWatchdog(process, () => late.abort())
  try {
    for await (const chunk of process.follow(0, AbortSignal.any([events.signal, engine.server.closing, late.signal]))) {
      truncated ||= chunk.truncated
      done = chunk.done
      for (const [index, record] of chunk.records.entries()) {
        const data = decoder.decode(record)
        // A client that resumes from an id must get all output after it: parts of chunks and of characters have no id.
        const isWhole = index === chunk.records.length - 1 && !decoder.pending
        if (data) await events.send(record.stream, { data }, isWhole ? chunk.cursor : undefined)
        if (isWhole) ({ cursor } = chunk)
      }
    }
  } finally {
    overdue.clear()
  }
  if (events.signal.aborted) return
  if (!done) throw processGoesOn(process, overdue, cursor)
  for (const { stream, text } of decoder.rest()) await events.send(stream, { data: text })
  const exit = await process.wait()
  await assertWasPaid(engine, process, { processId: process.processId })
  await events.send('complete', { ...exitFieldsOf(exit, process.startedAtMs), truncated: truncated || exit.truncated })
}

function optionsOf(body: ExecuteBody): ProcessOptions {
  return {
    kind: 'exec',
    program: programFor(body.language, body.code),
    command: body.code,
    env: environmentOf(body.env),
    cwd: body.cwd,
    timeoutMs: timeLimitMs(body.timeout ?? limits.executeDefaultTimeoutMs),
  }
}
