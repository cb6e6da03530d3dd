import { delay } from './delay.ts'
import { CarrelApiError, CarrelConnectionError } from './errors.ts'
import { backoffMs } from './retry.ts'

export interface DownloadOptions {
  baseUrl: string
  signal?: AbortSignal | undefined
  /** Opens the same file with these headers beside the usual ones. */
  open: (headers: Record<string, string>) => Promise<Response>
}

/** How long a download that was cut is taken up again without another byte. */
const resumeMs = 30_000

/**
 * The bytes of a file: all that were announced, or an error. One that was cut is taken up again where it stood, as long as
 * the file is the same.
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
  readonly #state: string | null
  /** Taken at once: `fetch` gives up the body of an answer that nobody holds any more, and it then ends like a whole one. */
  #reader: ReadableStreamDefaultReader<Uint8Array>
  #bytes = 0

  constructor(response: Response, options: DownloadOptions) {
    const { headers } = response
    const length = headers.get('content-encoding') ? null : headers.get('content-length')
    this.#options = options
    this.#totalBytes = length === null ? undefined : Number(length)
    this.#state = headers.get('etag')
    this.#reader = readerOf(response)
  }

  /** undefined at the end of the file. */
  async next(): Promise<Uint8Array | undefined> {
    const { signal } = this.#options
    // Not left to the signal of the request, which fetch holds on to no better than to its answer.
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

  /** Rejects when the answer ends before the file does. */
  async #read(): Promise<Uint8Array | undefined> {
    const { signal } = this.#options
    const { done, value } = await this.#reader.read()
    signal?.throwIfAborted()
    if (!done) return value
    if (this.#totalBytes === undefined || this.#bytes === this.#totalBytes) return undefined
    throw new Error('the answer ended')
  }

  async #resume(failure: unknown): Promise<Uint8Array | undefined> {
    let cause = failure
    const { signal, open } = this.#options
    if (this.#state === null || this.#totalBytes === undefined) throw this.#cut(cause)
    const giveUpAtMs = Date.now() + resumeMs
    for (let attempt = 0; Date.now() < giveUpAtMs; attempt++) {
      if (signal?.aborted) throw signal.reason
      await delay(backoffMs(attempt), signal)
      try {
        const response = await open({ range: `bytes=${this.#bytes}-`, 'if-range': this.#state })
        this.#reader = readerOf(response)
        if (response.status !== 206) {
          void this.#reader.cancel().catch(() => {})
          throw new FileChanged()
        }
        return await this.#read()
      } catch (error) {
        if (error instanceof FileChanged) throw this.#cut(error, ', and the file is another one now')
        if (error instanceof CarrelApiError && !error.retryable) throw error
        cause = error
      }
    }
    throw this.#cut(cause)
  }

  #cut(cause: unknown, more = ''): unknown {
    const { signal, baseUrl } = this.#options
    if (signal?.aborted) return signal.reason
    const share = this.#totalBytes === undefined ? `${this.#bytes}` : `${this.#bytes} of ${this.#totalBytes}`
    return new CarrelConnectionError(baseUrl, `the connection was cut after ${share} bytes${more}`, { cause })
  }
}

class FileChanged extends Error {}

function readerOf({ body }: Response): ReadableStreamDefaultReader<Uint8Array> {
  return (body ?? new Blob([]).stream()).getReader()
}
