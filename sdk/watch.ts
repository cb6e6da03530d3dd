import type { CallOptions, Context } from './context.ts'
import { CarrelApiError, CarrelConnectionError } from './errors.ts'
import { serverSentEvents } from './sse.ts'

export interface WatchOptions extends CallOptions {
  /** Also what is in directories below; default true. */
  recursive?: boolean
  /** Globs of what is told. Not together with `exclude`. */
  include?: string[]
  /** Globs of what is not told; directories that match are not looked into. */
  exclude?: string[]
}

interface At {
  path: string
  /** When the server sent it. */
  timestamp: string
}

export type WatchEvent =
  /** The first: from now on nothing is missed. */
  | ({ type: 'watching'; recursive: boolean } & At)
  | ({ type: 'create' | 'modify' | 'delete'; directory: boolean } & At)
  /** `path` is the new one. */
  | ({ type: 'rename'; oldPath: string; newPath: string; directory: boolean } & At)
  /** Changes were lost: `dropped` says how many, where it is known. */
  | ({ type: 'overflow'; message: string; dropped?: number } & At)
  /** The last: the directory was deleted or moved away, or the sandbox or the server stops. */
  | ({ type: 'stopped'; reason: 'deleted' | 'sandbox' | 'server'; message: string } & At)

/**
 * What changes in a directory, as it happens. Ends after `stopped`, or when the loop over it is left; rejects with a
 * `CarrelApiError` for the server's `error` event and with a `CarrelConnectionError` when the stream breaks off.
 */
export async function* watch(context: Context, path: string, options: WatchOptions = {}): AsyncGenerator<WatchEvent> {
  const { recursive, include, exclude, sessionId = context.sessionId, signal } = options
  const left = new AbortController()
  const response = await context.transport.open({
    method: 'POST',
    path: '/watch',
    headers: { accept: 'text/event-stream' },
    json: { path, recursive, include, exclude, sessionId },
    retry: 'refused',
    signal: signal ? AbortSignal.any([signal, left.signal]) : left.signal,
  })
  try {
    for await (const { event, data } of serverSentEvents(response.body ?? new Blob([]).stream())) {
      const fields = JSON.parse(data) as WatchEvent & Record<string, unknown>
      if (event === 'error') throw new CarrelApiError(0, fields)
      yield fields
      if (event === 'stopped') return
    }
  } catch (error) {
    if (error instanceof CarrelApiError || signal?.aborted) throw error
    throw CarrelConnectionError.from(context.transport.baseUrl, error)
  } finally {
    left.abort()
  }
  throw new CarrelConnectionError(context.transport.baseUrl, 'the stream of changes ended')
}
