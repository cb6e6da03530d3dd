import type { DescMethod } from '@bufbuild/protobuf'
import { Code, ConnectError, createConnectRouter, createContextValues } from '@connectrpc/connect'
import { codeToString } from '@connectrpc/connect/protocol-connect'
import type { UniversalHandler } from '@connectrpc/connect/protocol'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { limits } from '../../../config/limits.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { App } from '../../../http/app.ts'
import { drainRequest } from '../../../http/drain-request.ts'
import { logFailure } from '../../../http/log-failure.ts'
import { onDisconnect } from '../../../http/on-disconnect.ts'
import { sendResponse, universalRequest } from './connect-exchange.ts'
import { replyWithError } from './gateway-errors.ts'
import { callerOfGateway, clientKey, clientOf } from './gateway-session.ts'
import { jsonLines } from './json-lines.ts'
import { Process } from './process_pb.ts'
import { processService } from './process-service.ts'

/**
 * Adds the methods of `process.Process`, by Connect, for tokens of access sessions of the kind `exec`. They are described
 * in docs/EXEC-GATEWAY.md and `process.proto`, and in no OpenAPI document: most are streams, and their errors are
 * Connect's.
 */
export function addGatewayRoutes(app: App, engine: Engine): void {
  // A scope of their own, because Connect reads the bodies itself.
  void app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
    for (const handler of handlersOf(engine)) addMethod(scope, engine, handler)
    addUnknownMethods(scope, engine)
  })
}

function handlersOf(engine: Engine): UniversalHandler[] {
  const router = createConnectRouter()
  const service = processService(engine)
  for (const method of Process.methods)
    router.rpc(method, service[method.localName as keyof typeof service] as never, {
      ...handlerOptions,
      readMaxBytes: maxBytesOf(method),
    })
  return router.handlers
}

function addMethod(app: App, engine: Engine, handler: UniversalHandler): void {
  const { requestPath, method } = handler
  const lines = method.methodKind === 'server_streaming' ? jsonLines(handler) : undefined
  app.post(
    requestPath,
    {
      // The length of a stream of input is not known; its messages are bounded.
      bodyLimit: isInput(method) ? Number.MAX_SAFE_INTEGER : maxBytesOf(method),
      errorHandler: replyWithError,
      config: {
        callerOf: callerOfGateway(engine),
        ...(isInput(method) ? { quietBodyMs: limits.quietInputMs } : {}),
      },
    },
    async (request, reply) => {
      const isPlain = lines && !request.headers['content-type']?.startsWith('application/connect+')
      await exchange(engine, isPlain ? lines : handler, { request, reply, isEndless: isInput(method) })
    },
  )
}

/** Answers calls of methods that the service does not have. */
function addUnknownMethods(app: App, engine: Engine): void {
  app.post(
    `/${Process.typeName}/:method`,
    { errorHandler: replyWithError, config: { callerOf: callerOfGateway(engine) } },
    async (request, reply) => {
      const { method } = request.params as { method: string }
      // A client that asks for a stream reads the status alone, and takes 404 for a method that is not there.
      const isStream = request.headers['content-type']?.startsWith('application/connect+') === true
      void reply.status(isStream ? 404 : 501)
      const message = `${Process.typeName} has no method "${method.slice(0, 100)}"`
      return { code: codeToString(Code.Unimplemented), message }
    },
  )
}

const handlerOptions = {
  grpc: false,
  grpcWeb: false,
  // Whatever is compressed has to be held as a whole, and costs processor time that no account pays.
  acceptCompression: [],
  maxTimeoutMs: limits.processTimeoutMs,
}

function isInput({ methodKind }: DescMethod): boolean {
  return methodKind === 'client_streaming'
}

/** Returns how large a message of a method may be: some carry a program or input, and the others a name and a number. */
function maxBytesOf(method: DescMethod): number {
  if (isInput(method)) return limits.gatewayMessageBytes
  return method.name === 'Start' || method.name === 'SendInput' ? limits.commandBodyBytes : limits.bodyBytes
}

interface Exchange {
  request: FastifyRequest
  reply: FastifyReply
  isEndless: boolean
}

async function exchange(
  engine: Engine,
  handle: UniversalHandler | ReturnType<typeof jsonLines>,
  { request, reply, isEndless }: Exchange,
): Promise<void> {
  const length = Number(request.headers['content-length'] ?? 0)
  // Bytes, their text, and what is parsed of it.
  const release =
    length > limits.wholeBodyBytes && !isEndless
      ? await engine.budgets.memory.reserve(request.caller.accountId, 3 * length)
      : () => {}
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value)
  const contextValues = createContextValues().set(clientKey, clientOf(request))
  const left = new AbortController()
  const leave = () => left.abort(new ConnectError('the client has left', Code.Canceled))
  const stopWatching = onDisconnect(request.raw.socket, leave)
  try {
    const { signal } = left
    const asked = universalRequest(request.raw, { origin: request.baseUrl, signal, isEndless, contextValues })
    await sendResponse(reply.raw, await handle(asked))
    if (!request.raw.complete) drainRequest(request, reply)
  } catch (error) {
    if (!request.raw.destroyed) logFailure(request.log, error)
    reply.raw.destroy()
  } finally {
    stopWatching()
    release()
  }
}
