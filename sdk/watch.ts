import type { CallOptions, Context } from './context.ts'
import { CarrelApiError, CarrelConnectionError } from './errors.ts'
import { serverSentEvents } from './sse.ts'

export interface WatchOptions extends CallOptions {
  /** Includes subdirectories; default true. */
  recursive?: boolean | undefined
  /** Globs of the reported paths, instead of `exclude`. */
  include?: string[] | undefined
  /** Globs of paths that are not reported; matching directories are not watched. */
  exclude?: string[] | undefined
}

interface Located {
  path: string
  /** When the server sent it. */
  timestamp: string
}

export type WatchEvent =
  /** The first event: from now on no change is missed. */
  | ({ type: 'watching'; recursive: boolean } & Located)
  | ({ type: 'create' | 'modify' | 'delete'; directory: boolean } & Located)
  /** `path` is the new path. */
  | ({ type: 'rename'; oldPath: string; newPath: string; directory: boolean } & Located)
  /** Changes were lost; `dropped` is their number, if known. */
  | ({ type: 'overflow'; message: string; dropped?: number } & Located)
  /** The last event: the directory was deleted or moved away, or the sandbox or the server stops. */
  | ({ type: 'stopped'; reason: 'deleted' | 'sandbox' | 'server'; message: string } & Located)

/**
 * Yields the changes in a directory as they happen. Ends after `stopped`, or when the loop is left. Rejects with a
 * `CarrelApiError` for the server's `error` event, and with a `CarrelConnectionError` if the stream breaks off.
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
