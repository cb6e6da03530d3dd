import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect'
import { limits } from '../../../config/limits.ts'
import { keepInUse } from '../../../engine/computers/access/keep-in-use.ts'
import { whileEntered } from '../../../engine/computers/access-sessions/enter-session.ts'
import {
  runningProcess,
  keptProcess,
  type ProcessSelector as Selector,
} from '../../../engine/computers/processes/select-process.ts'
import { startProcess } from '../../../engine/computers/processes/start-process.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { ProcessHandle } from '../../../engine/types.ts'
import { CarrelError } from '../../../errors.ts'
import { connectError } from './gateway-errors.ts'
import { Interruptible } from './interruptible.ts'
import { clientKey, type GatewayClient } from './gateway-session.ts'
import { OpenStreams } from './open-streams.ts'
import { processEvents, type ProcessEventInit } from './process-events.ts'
import { runningProcesses } from './process-list.ts'
import { SignalSchema, type Process, type ProcessInput, type ProcessSelector } from './process_pb.ts'
import { sizeOf, startOptions } from './start-options.ts'

/** Returns what the methods of `process.Process` do, each for the session in the values of its context. */
export function processService(engine: Engine): Required<ServiceImpl<typeof Process>> {
  const streams = new OpenStreams()
  const running = ({ session }: GatewayClient, process: ProcessSelector | undefined) =>
    runningProcess(engine, session.computer, selectorOf(process))
  /** A method with one answer. */
  const unary =
    <Request, Response>(work: (request: Request, client: GatewayClient) => Promise<Response>) =>
    async (request: Request, context: HandlerContext): Promise<Response> => {
      try {
        return await work(request, clientIn(context))
      } catch (error) {
        throw connectError(error, engine.log)
      }
    }
  /** A method whose answer is the events of a process. */
  const events = <Request>(
    find: (request: Request, client: GatewayClient, context: HandlerContext) => Promise<ProcessHandle>,
  ) =>
    async function* (request: Request, context: HandlerContext): AsyncGenerator<{ event: ProcessEventInit }> {
      const client = clientIn(context)
      try {
        using stream = openStream(engine, streams, client, context)
        const process = await find(request, client, context)
        stream.onClose(engine.unreadOutput.connect(process))
        const keepAliveMs = keepAliveOf(context)
        for await (const event of processEvents(process, { signal: stream.signal, keepAliveMs })) yield { event }
        if (stream.signal.aborted) throw stream.signal.reason
      } catch (error) {
        throw connectError(error, engine.log)
      }
    }
  return {
    list: unary(async (_request, { session }) => ({ processes: runningProcesses(engine, session.computer) })),
    start: events(async (request, { session, user }, context) => {
      const { computer } = session
      return startProcess(
        engine,
        computer,
        startOptions(request, computer.image, { user, timeoutMs: timeLimitOf(context) }),
      )
    }),
    connect: events(({ process }, { session }) => keptProcess(engine, session.computer, selectorOf(process))),
    update: unary(async ({ process, pty }, client) => {
      const found = running(client, process)
      if (pty) {
        const { cols, rows } = sizeOf(pty)
        await found.resize(cols, rows)
      }
      return {}
    }),
    sendInput: unary(async ({ process, input }, client) => {
      await write(running(client, process), input)
      return {}
    }),
    async streamInput(requests, context) {
      const client = clientIn(context)
      try {
        using stream = openStream(engine, streams, client, context)
        const messages = new Interruptible(requests)
        const end = () => messages.interrupt(stream.signal.reason as Error)
        if (stream.signal.aborted) end()
        else stream.signal.addEventListener('abort', end, { once: true })
        let target: ProcessHandle | undefined
        for await (const { event } of messages) {
          if (event.case === 'data') await write(requireTarget(target), event.value.input)
          if (event.case !== 'start') continue
          if (target) throw new CarrelError('invalid_request', 'Cannot take another "start": the stream has a process')
          target = running(client, event.value.process)
          // What comes after the end of the process reaches nobody.
          void target.wait().then(() => messages.interrupt())
        }
        return {}
      } catch (error) {
        throw connectError(error, engine.log)
      }
    },
    sendSignal: unary(async ({ process, signal }, client) => {
      await running(client, process).kill(signalOf(signal), 'tree')
      return {}
    }),
    closeStdin: unary(async ({ process }, client) => {
      await running(client, process).closeStdin()
      return {}
    }),
  }
}

/**
 * Counts a stream, and keeps the computer in use while it is open. Its signal aborts with the error that the client
 * gets: when the client has left or its deadline has passed, the session has ended, or the server stops.
 */
function openStream(engine: Engine, streams: OpenStreams, { session, cut }: GatewayClient, context: HandlerContext) {
  const ended = new AbortController()
  let cutting: NodeJS.Timeout | undefined
  const end = (reason: string, code: Code) => {
    ended.abort(new ConnectError(reason, code))
    cutting ??= setTimeout(cut, limits.lastGatewayAnswerMs)
  }
  const { closing } = engine.server
  const close = () => end('the server restarts: connect to the process again', Code.Unavailable)
  const leave = [
    streams.open(session.computer.accountId),
    keepInUse(engine, session.computer),
    whileEntered(engine, session, (reason) => end(reason, Code.Unauthenticated)),
    () => closing.removeEventListener('abort', close),
    () => clearTimeout(cutting),
  ]
  closing.addEventListener('abort', close)
  const signal = AbortSignal.any([context.signal, ended.signal])
  return {
    signal,
    onClose: (close: () => void) => void leave.push(close),
    [Symbol.dispose]: () => leave.forEach((one) => one()),
  }
}

function clientIn(context: HandlerContext): GatewayClient {
  return context.values.get(clientKey)!
}

function selectorOf(process: ProcessSelector | undefined): Selector {
  const { selector } = process ?? {}
  if (selector?.case === 'pid') return { pid: selector.value }
  if (selector?.case === 'tag' && selector.value !== '') return { name: selector.value }
  throw new CarrelError('invalid_request', 'Cannot find a process: send its pid or its tag', {
    details: { field: 'process' },
  })
}

async function write(process: ProcessHandle, input: ProcessInput | undefined): Promise<void> {
  const bytes = input?.input.value ?? new Uint8Array()
  for (let at = 0; at < bytes.length; at += limits.sourcePieceBytes)
    await process.write(bytes.subarray(at, at + limits.sourcePieceBytes))
}

function requireTarget(process: ProcessHandle | undefined): ProcessHandle {
  if (process) return process
  throw new CarrelError('invalid_request', 'Cannot take input: the first message has to be "start"')
}

function signalOf(number: number): NodeJS.Signals {
  const name = number === 0 ? undefined : SignalSchema.values.find((value) => value.number === number)?.name
  if (name !== undefined) return name.slice('SIGNAL_'.length) as NodeJS.Signals
  throw new CarrelError('invalid_request', `Cannot send signal ${number}: it is not known`, {
    details: { field: 'signal' },
  })
}

function keepAliveOf({ requestHeader }: HandlerContext): number {
  const bounds = limits.gatewayKeepAliveMs
  const asked = Number(requestHeader.get('keepalive-ping-interval') ?? NaN) * 1000
  return Number.isFinite(asked) ? Math.min(Math.max(asked, bounds.min), bounds.max) : bounds.default
}

/** The client's deadline ends the process, too. */
function timeLimitOf(context: HandlerContext): number | undefined {
  const leftMs = context.timeoutMs()
  return leftMs === undefined ? undefined : Math.max(1, Math.ceil(leftMs))
}
