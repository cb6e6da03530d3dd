import { reachable } from './connection.ts'
import { endSession, sessionAccepted } from './session.ts'

/** A refusal of the server, or (status 0) a request that did not reach it. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

interface Options {
  body?: unknown
  signal?: AbortSignal | undefined
}

/** Sends a request and returns the JSON of its answer. Throws an `ApiError`. A 401 ends the session of the page. */
export async function request<T>(method: string, path: string, { body, signal }: Options = {}): Promise<T> {
  const init: RequestInit = { method, signal: signal ?? null, credentials: 'same-origin' }
  if (body !== undefined) {
    init.body = JSON.stringify(body)
    init.headers = { 'content-type': 'application/json' }
  }
  const response = await send(path, init)
  if (!response.ok) throw await errorOf(response)
  if (response.status === 204) return undefined as T
  return (await response.json()) as T
}

/** Sends a request for content, which the caller reads. Throws as `request` does. */
export async function requestContent(path: string, signal?: AbortSignal): Promise<Response> {
  const response = await send(path, { signal: signal ?? null, credentials: 'same-origin' })
  if (!response.ok) throw await errorOf(response)
  return response
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    const response = await fetch(path, init)
    reachable.set(true)
    if (response.ok) sessionAccepted()
    return response
  } catch (error) {
    if (init.signal?.aborted) throw error
    reachable.set(false)
    throw new ApiError(0, 'unreachable', 'Cannot reach the server.')
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  return toError(response.status, await response.text())
}

/** Returns the error that the body of a refusal describes. A 401 ends the session of the page. */
export function toError(status: number, body: string): ApiError {
  const { code, message } = envelopeOf(body) ?? { code: 'unknown', message: `The server answered ${status}.` }
  if (status === 401) endSession('over', message)
  return new ApiError(status, code, message)
}

function envelopeOf(body: string): { code: string; message: string } | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: { code?: unknown; message?: unknown } }
    if (typeof error?.message === 'string') return { code: String(error.code), message: error.message }
  } catch {
    // A proxy in between answers with a page.
  }
  return undefined
}

/** Returns what a server or a program says as a sentence: with a capital letter and a full stop. */
export function sentenceOf(words: string): string {
  const text = words.trim()
  return text === '' ? '' : text[0]!.toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.')
}

/** Returns the words that tell a person what went wrong. */
export function messageOf(error: unknown): string {
  return sentenceOf(error instanceof Error ? error.message : String(error))
}
