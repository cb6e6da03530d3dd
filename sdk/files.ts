import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'
import { openDownload } from './download.ts'
import { multipartStream } from './multipart.ts'
import { watch } from './watch.ts'
import type { WatchEvent, WatchOptions } from './watch.ts'

export interface FileEntry {
  name: string
  /** The bytes of the name in base64 if they are not UTF-8; `name` and `path` are then approximations. */
  nameBase64?: string
  /** The absolute path in the sandbox. */
  path: string
  type: 'file' | 'directory' | 'symlink' | 'other'
  /** Bytes. */
  size: number
  /** Permission bits, as a number or in octal. */
  mode: number | string
  modified: string
  /** Target of a symlink. */
  target?: string
}

/** Content to write. Everything except strings and `Uint8Array` is streamed in constant memory. */
export type FileContent = string | Uint8Array | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

export interface WriteOptions extends RequestOptions {
  /** Permission bits, such as 0o755; default: those of the existing file, else 0o644. */
  mode?: number | undefined
  /** File name that is sent with an upload; default: the last part of the path. */
  originalName?: string | undefined
}

export interface ListOptions extends RequestOptions {
  /** Maximum number of entries; default: all. */
  limit?: number | undefined
}

export interface WrittenFile {
  success: boolean
  path: string
  /** Bytes. */
  size: number
  sessionId: string
}

/** The size of a page if the client requests no smaller one. */
const pageEntries = 10_000

/** Longer content is uploaded, which avoids the cost of JSON. */
const maxJsonBytes = 256 * 1024

/** The files of a sandbox. Paths are absolute, such as `/workspace/a.txt`. */
export class Files {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** Returns a text file. Bytes that are not UTF-8 become U+FFFD; use `readBytes` to keep them. */
  async read(path: string, options: RequestOptions = {}): Promise<string> {
    const { content } = await this.#post<{ content: string }>('/files/read', { path, encoding: 'utf8' }, options)
    return content
  }

  /** Returns the bytes of a file, held in memory as a whole. */
  async readBytes(path: string, options: RequestOptions = {}): Promise<Uint8Array> {
    return new Uint8Array(await new Response(await this.readStream(path, options)).arrayBuffer())
  }

  /**
   * Returns a file as a stream, in constant memory. The stream delivers the whole file or fails; a broken connection is
   * restored. The time limit of the request ends when the first byte can be read.
   */
  async readStream(path: string, options: RequestOptions = {}): Promise<ReadableStream<Uint8Array>> {
    const { transport, sessionId } = this.#context
    return openDownload({
      baseUrl: transport.baseUrl,
      signal: options.signal,
      open: (headers) =>
        transport.open({
          method: 'GET',
          path: '/files/download',
          query: { path, sessionId: options.sessionId ?? sessionId },
          headers: { accept: '*/*', 'accept-encoding': 'identity', ...headers },
          retry: 'repeatable',
          ...callFields(options),
        }),
    })
  }

  /**
   * Writes a file atomically: readers see the old file or the whole new one. Creates parent directories. A stream is
   * not retried.
   */
  async write(path: string, content: FileContent, options: WriteOptions = {}): Promise<WrittenFile> {
    if (typeof content === 'string' && content.length <= maxJsonBytes) {
      return this.#post('/files/write', { path, content, encoding: 'utf8', mode: options.mode }, options)
    }
    return this.#upload(path, content, options)
  }

  /** Returns the entries of a directory, sorted by name: all of them, fetched in pages, or the first `limit`. */
  async list(path: string, { limit = Infinity, ...options }: ListOptions = {}): Promise<FileEntry[]> {
    const entries: FileEntry[] = []
    let cursor: string | undefined
    do {
      const left = limit - entries.length
      const page: { files: FileEntry[]; cursor?: string } = await this.#post(
        '/files/list',
        { path, cursor, limit: left < pageEntries ? left : undefined },
        options,
      )
      for (const entry of page.files) entries.push(entry)
      cursor = page.cursor
    } while (cursor !== undefined && entries.length < limit)
    return entries.length > limit ? entries.slice(0, limit) : entries
  }

  /** Creates a directory and its parents. An existing directory is no error. */
  async mkdir(path: string, options: RequestOptions = {}): Promise<{ success: boolean; path: string }> {
    return this.#post('/files/mkdir', { path }, options)
  }

  /** Yields the changes in a directory as they happen, until the loop is left. */
  watch(path: string, options: WatchOptions = {}): AsyncGenerator<WatchEvent> {
    return watch(this.#context, path, options)
  }

  async #upload(path: string, content: FileContent, options: WriteOptions): Promise<WrittenFile> {
    const { transport, sessionId } = this.#context
    const upload = multipartStream({
      fields: { path, mode: options.mode?.toString(), sessionId: options.sessionId ?? sessionId },
      file: { name: options.originalName ?? path.slice(path.lastIndexOf('/') + 1), content: chunksOf(content) },
    })
    try {
      return await transport.json<WrittenFile>({
        method: 'POST',
        path: '/files/upload',
        stream: upload,
        retry: 'never',
        signal: options.signal,
        timeoutMs: options.requestTimeoutMs ?? Infinity,
      })
    } catch (error) {
      // A failure of the source is the cause; the failed request only follows from it.
      throw upload.sourceError() ?? error
    }
  }

  #post<T>(path: string, json: Record<string, unknown>, options: RequestOptions): Promise<T> {
    const { transport, sessionId } = this.#context
    return transport.json<T>({
      method: 'POST',
      path,
      json: { ...json, sessionId: options.sessionId ?? sessionId },
      retry: 'repeatable',
      ...callFields(options),
    })
  }
}

async function* chunksOf(content: FileContent): AsyncGenerator<Uint8Array> {
  if (typeof content === 'string') yield new TextEncoder().encode(content)
  else if (content instanceof Uint8Array) yield content
  else yield* content
}
