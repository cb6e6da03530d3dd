import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'

/** A sandbox of the account. What only the server that has it knows is null on every other. */
export interface Sandbox {
  sandbox_id: string
  /** The `sessionId` of other calls; empty for the default sandbox. */
  name: string
  /** `running`, `stopped`, or a state in between. */
  state: string
  /** Why it is stopped, such as `idle`. */
  state_reason: string | null
  /** When it reached its state. */
  since: string
  created_at: string
  /** Whether its files survive a stop, as those of `computers` do. */
  keeps_files: boolean
  /** The number of running processes. */
  processes: number | null
  /** How long nothing has used it; 0 while something does. */
  idle_seconds: number | null
  /** The idle time after which it is stopped. */
  idle_timeout_seconds: number | null
  disk_bytes: number | null
  disk_limit_bytes: number | null
  ports: SandboxPort[]
}

export interface SandboxPort {
  port: number
  /** Whether `expose()` has given it an address. */
  exposed: boolean
  /** Whether a program listens on it now. */
  listening: boolean
}

/** The sandboxes of the account. Other calls create them by their name, the `sessionId`. */
export class Sandboxes {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** Returns all sandboxes, ordered by name. */
  async list(options: RequestOptions = {}): Promise<Sandbox[]> {
    const sandboxes: Sandbox[] = []
    let cursor: string | undefined
    do {
      const page = await this.#page({ cursor }, options)
      for (const sandbox of page.sandboxes) sandboxes.push(sandbox)
      cursor = page.next_cursor ?? undefined
    } while (cursor !== undefined)
    return sandboxes
  }

  /** Returns the sandbox of a name, '' for the default one; undefined if there is none. */
  async find(name: string, options: RequestOptions = {}): Promise<Sandbox | undefined> {
    return (await this.#page({ name }, options)).sandboxes[0]
  }

  /** Stops a sandbox: its programs end and its files are deleted. Its name and its addresses stay. */
  async stop(sandboxId: string, options: RequestOptions = {}): Promise<void> {
    const path = `${root}/${encodeURIComponent(sandboxId)}/stop`
    await this.#context.transport.json({ method: 'POST', path, json: {}, retry: 'repeatable', ...callFields(options) })
  }

  /** Deletes a sandbox with its files and addresses. */
  async delete(sandboxId: string, options: RequestOptions = {}): Promise<void> {
    const path = `${root}/${encodeURIComponent(sandboxId)}`
    await this.#context.transport.json({ method: 'DELETE', path, retry: 'refused', ...callFields(options) })
  }

  #page(query: Record<string, string | undefined>, options: RequestOptions) {
    return this.#context.transport.json<{ sandboxes: Sandbox[]; next_cursor: string | null }>({
      method: 'GET',
      path: root,
      query,
      retry: 'repeatable',
      ...callFields(options),
    })
  }
}

const root = '/v1/sandboxes'
