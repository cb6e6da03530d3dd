import { Code, ConnectError } from '@connectrpc/connect'
import { codeFromString, codeToHttpStatus } from '@connectrpc/connect/protocol-connect'
import {
  encodeEnvelope,
  transformSplitEnvelope,
  type UniversalHandlerFn,
  type UniversalServerRequest,
  type UniversalServerResponse,
} from '@connectrpc/connect/protocol'
import { limits } from '../../../config/limits.ts'

/**
 * Returns a handler that takes plain JSON for a method that answers with a stream, as curl sends it: the request as one
 * JSON text, and the answer as one line for each message. An error before the first message has its own status; a later
 * one is the last line.
 */
export function jsonLines(handle: UniversalHandlerFn): UniversalHandlerFn {
  return async (request) => {
    const header = new Headers(request.header)
    header.set('content-type', 'application/connect+json')
    const response = await handle({ ...request, header, body: enveloped(request) })
    const envelopes = transformSplitEnvelope(0xff_ff_ff_ff)(response.body ?? none())
    const first = await envelopes[Symbol.asyncIterator]().next()
    return first.done ? response : answerOf(first.value, envelopes)
  }
}

interface Envelope {
  flags: number
  data: Uint8Array
}

function answerOf(first: Envelope, rest: AsyncIterable<Envelope>): UniversalServerResponse {
  const failure = failureIn(first)
  if (failure === undefined)
    return { status: 200, header: new Headers({ 'content-type': 'application/x-ndjson' }), body: linesOf(first, rest) }
  const code = codeFromString(failure.code) ?? Code.Unknown
  const header = new Headers({ 'content-type': 'application/json' })
  if (code === Code.Unauthenticated) header.set('www-authenticate', 'Bearer')
  return { status: codeToHttpStatus(code), header, body: one(Buffer.from(JSON.stringify(failure))) }
}

async function* linesOf(first: Envelope, rest: AsyncIterable<Envelope>): AsyncGenerator<Uint8Array> {
  yield lineOf(first.data)
  for await (const envelope of rest) {
    const failure = failureIn(envelope)
    if (failure !== undefined) yield lineOf(Buffer.from(JSON.stringify({ error: failure })))
    else if (!isEnd(envelope)) yield lineOf(envelope.data)
  }
}

/** Yields the body as the one message of a stream. */
async function* enveloped({ body }: UniversalServerRequest): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > limits.commandBodyBytes) throw new ConnectError('the request is too large', Code.ResourceExhausted)
    chunks.push(chunk)
  }
  yield encodeEnvelope(0, Buffer.concat(chunks))
}

function failureIn(envelope: Envelope): { code: string; message?: string } | undefined {
  if (!isEnd(envelope)) return undefined
  return (JSON.parse(Buffer.from(envelope.data).toString('utf8')) as { error?: { code: string } }).error
}

function isEnd({ flags }: Envelope): boolean {
  return (flags & endStreamFlag) !== 0
}

function lineOf(data: Uint8Array): Buffer {
  return Buffer.concat([data, newline])
}

async function* none(): AsyncGenerator<Uint8Array> {}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

const endStreamFlag = 0b10
const newline = Buffer.from('\n')
