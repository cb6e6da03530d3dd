import { contentUrl } from './files.ts'
import { reachable } from './connection.ts'
import { ApiError, toError } from './request.ts'

interface Options {
  signal?: AbortSignal | undefined
  onProgress?: (sentBytes: number) => void
}

/**
 * Writes the content of a file. It is an XMLHttpRequest, because `fetch` does not say how much of a body was sent.
 * Rejects with an `ApiError`, or an `AbortError`.
 */
export function putContent(path: string, content: Blob, { signal, onProgress }: Options = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const request = new XMLHttpRequest()
    request.open('PUT', contentUrl(path))
    request.setRequestHeader('content-type', 'application/octet-stream')
    request.upload.addEventListener('progress', ({ loaded }) => onProgress?.(loaded))
    request.addEventListener('load', () => {
      if (request.status >= 200 && request.status < 300) resolve()
      else reject(toError(request.status, request.responseText))
    })
    request.addEventListener('error', () => {
      reachable.set(false)
      reject(new ApiError(0, 'unreachable', 'The connection broke.'))
    })
    request.addEventListener('abort', () => reject(new DOMException('The upload was cancelled.', 'AbortError')))
    signal?.addEventListener('abort', () => request.abort(), { once: true })
    request.send(content)
  })
}
