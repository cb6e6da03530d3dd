import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'

export interface MemoryEntry {
  path: string
  /** Size in bytes of UTF-8. */
  size: number
  modified: string
}

export interface MemoryUsage {
  usedBytes: number
  quotaBytes: number
  fileCount: number
}

/** Small text files of the account, which outlive every sandbox. A path is any text: there are no real folders. */
export class Memory {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** Writes a file atomically. Rejects with `DISK_FULL` if it would exceed the quota by `details.overBytes`. */
  write(path: string, content: string, options: RequestOptions = {}): Promise<{ path: string; size: number }> {
    return this.#post('/memory/write', { path, content }, options)
  }

  async read(path: string, options: RequestOptions = {}): Promise<string> {
    return (await this.#post<{ content: string }>('/memory/read', { path }, options)).content
  }

  /** Returns the files whose path begins with `prefix`, sorted by path; default: all. */
  async list(prefix?: string, options: RequestOptions = {}): Promise<MemoryEntry[]> {
    return (await this.#post<{ files: MemoryEntry[] }>('/memory/list', { prefix }, options)).files
  }

  delete(path: string, options: RequestOptions = {}): Promise<{ path: string }> {
    return this.#post('/memory/delete', { path }, options)
  }

  usage(options: RequestOptions = {}): Promise<MemoryUsage> {
    return this.#post('/memory/usage', {}, options)
  }

  #post<T>(path: string, json: Record<string, unknown>, options: RequestOptions): Promise<T> {
    return this.#context.transport.json<T>({
      method: 'POST',
      path,
      json,
      retry: 'repeatable',
      ...callFields(options),
    })
  }
}
