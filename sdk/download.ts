import { delay } from './delay.ts'
import { CarrelApiError, CarrelConnectionError } from './errors.ts'
import { backoffMs } from './retry.ts'

export interface DownloadOptions {
  baseUrl: string
  signal?: AbortSignal | undefined
  /** Requests the file with these headers in addition to the usual ones. */
  open: (headers: Record<string, string>) => Promise<Response>
}

/** How long an interrupted download is retried without receiving another byte. */
const resumeMs = 30_000

/**
 * Returns the bytes of a file: all that the server announced, or an error. An interrupted download resumes where it
 * stopped, as long as the file is unchanged.
 */
export async function openDownload(options: DownloadOptions): Promise<ReadableStream<Uint8Array>> {
  const download = new Download(await options.open({}), options)
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const chunk = await download.next()
        if (chunk) controller.enqueue(chunk)
        else controller.close()
      },
      cancel: (reason) => download.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

class Download {
  readonly #options: DownloadOptions
  readonly #totalBytes: number | undefined
  readonly #etag: string | null
  /**
   * Acquired at once: `fetch` abandons the body of a response that nothing references, which then ends as if it were
   * complete.
   */
  #reader: ReadableStreamDefaultReader<Uint8Array>
  #bytes = 0

  constructor(response: Response, options: DownloadOptions) {
    const { headers } = response
    const length = headers.get('content-encoding') ? null : headers.get('content-length')
    this.#options = options
    this.#totalBytes = length === null ? undefined : Number(length)
    this.#etag = headers.get('etag')
    this.#reader = readerOf(response)
  }

  /** Returns the next bytes; undefined at the end of the file. */
  async next(): Promise<Uint8Array | undefined> {
    const { signal } = this.#options
    // The request's own signal does not suffice: `fetch` keeps no stronger reference to it than to the response.
    const stop = () => void this.#reader.cancel(signal?.reason).catch(() => {})
    signal?.addEventListener('abort', stop)
    try {
      const chunk = await this.#read().catch((error: unknown) => this.#resume(error))
      this.#bytes += chunk?.length ?? 0
      return chunk
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  cancel(reason: unknown): Promise<void> {
    return this.#reader.cancel(reason)
  }

  /** Reads the next bytes. Rejects if the response ends before the file does. */
  async #read(): Promise<Uint8Array | undefined> {
    const { signal } = this.#options
    const { done, value } = await this.#reader.read()
    signal?.throwIfAborted()
    if (!done) return value
    if (this.#totalBytes === undefined || this.#bytes === this.#totalBytes) return undefined
    throw new Error('the response ended')
  }

  async #resume(failure: unknown): Promise<Uint8Array | undefined> {
    let cause = failure
    const { signal, open } = this.#options
    if (this.#etag === null || this.#totalBytes === undefined) throw this.#broken(cause)
    const giveUpAtMs = Date.now() + resumeMs
    for (let attempt = 0; Date.now() < giveUpAtMs; attempt++) {
      if (signal?.aborted) throw signal.reason
      await delay(backoffMs(attempt), signal)
      try {
        const response = await open({ range: `bytes=${this.#bytes}-`, 'if-range': this.#etag })
        this.#reader = readerOf(response)
        if (response.status !== 206) {
          void this.#reader.cancel().catch(() => {})
          throw new FileChanged()
        }
        return await this.#read()
      } catch (error) {
        if (error instanceof FileChanged) throw this.#broken(error, ', and the file has changed since')
        if (error instanceof CarrelApiError && !error.retryable) throw error
        cause = error
      }
    }
    throw this.#broken(cause)
  }

  #broken(cause: unknown, more = ''): unknown {
    const { signal, baseUrl } = this.#options
    if (signal?.aborted) return signal.reason
    const share = this.#totalBytes === undefined ? `${this.#bytes}` : `${this.#bytes} of ${this.#totalBytes}`
    return new CarrelConnectionError(baseUrl, `the connection broke after ${share} bytes${more}`, { cause })
  }
}

class FileChanged extends Error {}

function readerOf({ body }: Response): ReadableStreamDefaultReader<Uint8Array> {
  return (body ?? new Blob([]).stream()).getReader()
}
