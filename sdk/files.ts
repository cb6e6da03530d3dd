import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'
import { openDownload } from './download.ts'
import { multipartStream } from './multipart.ts'
import { watch } from './watch.ts'
import type { WatchEvent, WatchOptions } from './watch.ts'

export interface FileEntry {
  name: string
  /** The name's bytes in base64 where they are not UTF-8; `name` and `path` then only resemble it. */
  nameBase64?: string
  /** Absolute, in the sandbox. */
  path: string
  type: 'file' | 'directory' | 'symlink' | 'other'
  /** Bytes. */
  size: number
  /** Permission bits, as a number or in octal. */
  mode: number | string
  modified: string
  /** Where a symlink points. */
  target?: string
}

/** What a file is written from. Everything but text and `Uint8Array` is streamed, in constant memory. */
export type FileContent = string | Uint8Array | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

export interface WriteOptions extends RequestOptions {
  /** Permission bits, such as 0o755; default: those of the file that is there, else 0o644. */
  mode?: number
  /** Told to the server with an upload; default: the last part of the path. */
  originalName?: string
}

export interface ListOptions extends RequestOptions {
  /** Entries at most; default: all. */
  limit?: number
}

export interface WrittenFile {
  success: boolean
  path: string
  /** Bytes. */
  size: number
  sessionId: string
}

/** What a server gives at a time when it is not asked for less. */
const pageEntries = 10_000

/** Longer content is sent as an upload, without the cost of JSON. */
const maxJsonBytes = 256 * 1024

/** The files of a sandbox. Paths are absolute in it, such as `/workspace/a.txt`. */
export class Files {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** A text file. Bytes that are not UTF-8 come as U+FFFD: use `readBytes` for them. */
  async read(path: string, options: RequestOptions = {}): Promise<string> {
    const { content } = await this.#post<{ content: string }>('/files/read', { path, encoding: 'utf8' }, options)
    return content
  }

  /** The whole file in memory. */
  async readBytes(path: string, options: RequestOptions = {}): Promise<Uint8Array> {
    return new Uint8Array(await new Response(await this.readStream(path, options)).arrayBuffer())
  }

  /**
   * The file as it comes, in constant memory: whole, or the stream fails. A connection that is cut is made again. The
   * request's time limit ends when the first byte can be read.
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

  /** Writes the file in one step: it is the old one or the whole new one. Parents are made. A stream is not retried. */
  async write(path: string, content: FileContent, options: WriteOptions = {}): Promise<WrittenFile> {
    if (typeof content === 'string' && content.length <= maxJsonBytes) {
      return this.#post('/files/write', { path, content, encoding: 'utf8', mode: options.mode }, options)
    }
    return this.#upload(path, content, options)
  }

  /** The entries of a directory in the order of their names: all of them, page by page, or the first `limit`. */
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

  /** Makes a directory and its parents; an existing one is no error. */
  async mkdir(path: string, options: RequestOptions = {}): Promise<{ success: boolean; path: string }> {
    return this.#post('/files/mkdir', { path }, options)
  }

  /** What changes in a directory, as it happens, until the loop over it is left. */
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
      // The source's own failure is the cause; the broken request only follows from it.
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
