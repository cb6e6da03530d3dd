import { callFields } from './context.ts'
import type { Context, RequestOptions } from './context.ts'
import { delay } from './delay.ts'
import { CarrelOperationError } from './errors.ts'

/** A computer that keeps its files until it is deleted. */
export interface Computer {
  id: string
  /** Its name in the workspace, which works wherever the id does. */
  handle: string
  /** Its name for people. */
  display_name: string
  image_id: string
  source_kind: 'image' | 'snapshot'
  source_snapshot_id: string | null
  /** `custom` for a size of its own. */
  size_preset: string
  requested_memory_mib: number
  requested_storage_bytes: number
  state: string
  /** Why it failed; null in every other state. */
  failure_reason: string | null
  created_at: string
  updated_at: string
}

/** What is done to a computer in the background. */
export interface ComputerOperation {
  id: string
  /** Such as `computer.create`. */
  kind: string
  status: 'running' | 'succeeded' | 'failed'
  /** From 0 to 1. */
  progress: number
  /** What it does right now; only if it says so. */
  progress_message?: string
  resource_id: string
  error_message: string | null
}

/** A computer, and what is being done to it; no operation where there is nothing to do. */
export interface BegunOnComputer {
  computer: Computer
  operation?: ComputerOperation
}

/** Without a size, the smallest preset. */
export interface ComputerSize {
  /** Such as `ram-4g`. */
  sizePreset?: string | undefined
  memoryMib?: number | undefined
  storageBytes?: number | undefined
}

export interface CreateComputerOptions extends RequestOptions, ComputerSize {
  /** A DNS label, unique in the workspace; made up if left out. */
  handle?: string | undefined
  displayName?: string | undefined
  imageId?: string | undefined
  /** Keys that may sign in by SSH, each a line of `authorized_keys`. */
  authorizedKeys?: string[] | undefined
  /** Makes the call safe to repeat: the same key returns the same computer. */
  idempotencyKey?: string | undefined
}

export interface ComputerUsage {
  runtime_seconds: number
  cpu_hours: number
  ram_gib_hours: number
  hot_storage_bytes: number
  cold_storage_bytes: number
  updated_at: string
}

/** Where a computer is reached. */
export interface ComputerConnection {
  handle: string
  /** Whether the server has a port for SSH. */
  ssh_available: boolean
  /** Where a plain SSH client connects; null where computers have no ports of their own. */
  ssh_host: string | null
  ssh_port: number | null
  ssh_user: string | null
  /** The key that the computer shows, for `known_hosts`. */
  ssh_host_public_key: string | null
}

/** A key that opens one computer by SSH for some minutes, and where to connect by TLS. */
export interface SshCredentials {
  computer_id: string
  computer_handle: string
  ssh_user: string
  edge_host: string
  edge_port: number
  /** The server name to ask for in the TLS handshake. */
  sni: string
  /** In the format of OpenSSH. */
  client_private_key: string
  client_public_key: string
  /** For the `-cert.pub` file beside the private key. */
  client_certificate: string
  guest_host_public_key: string
  expires_at: string
}

export interface SettleOptions extends RequestOptions {
  /** Called with each state of the operation that differs from the last one. */
  onProgress?: ((operation: ComputerOperation) => void) | undefined
}

/**
 * Computers that keep their files. Each is named by its id or handle. What takes time is begun, and `settle` waits for
 * its end.
 *
 * @example
 *   const computer = await carrel.computers.settle(await carrel.computers.create({ handle: 'build' }))
 *   await carrel.execute('make', { sessionId: computer.handle })
 */
export class Computers {
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
  }

  /** Returns all computers, in the order of their creation. */
  async list(options: RequestOptions = {}): Promise<Computer[]> {
    return (await this.#get<{ computers: Computer[] }>(root, options)).computers
  }

  async get(computer: string, options: RequestOptions = {}): Promise<Computer> {
    return (await this.#get<BegunOnComputer>(pathOf(computer), options)).computer
  }

  /** Begins to create a computer and to start it. */
  create({ idempotencyKey, ...options }: CreateComputerOptions = {}): Promise<BegunOnComputer> {
    const { handle, displayName, imageId, sizePreset, memoryMib, storageBytes, authorizedKeys } = options
    const json = {
      handle,
      display_name: displayName,
      size_preset: sizePreset,
      requested_memory_mib: memoryMib,
      requested_storage_bytes: storageBytes,
      ...(imageId === undefined ? {} : { source: { kind: 'image', image_id: imageId } }),
      ...(authorizedKeys === undefined ? {} : { guest: { authorized_keys: authorizedKeys } }),
    }
    return this.#context.transport.json({
      method: 'POST',
      path: root,
      json,
      idempotencyKey: idempotencyKey ?? crypto.randomUUID(),
      retry: 'repeatable',
      ...callFields(options),
    })
  }

  /** Changes the handle, the name for people, or both. */
  async rename(
    computer: string,
    { handle, displayName, ...options }: RequestOptions & { handle?: string; displayName?: string },
  ): Promise<Computer> {
    const answer = await this.#context.transport.json<BegunOnComputer>({
      method: 'PATCH',
      path: pathOf(computer),
      json: { handle, display_name: displayName },
      retry: 'repeatable',
      ...callFields(options),
    })
    return answer.computer
  }

  /** Begins to start a stopped computer. */
  start(computer: string, options: RequestOptions = {}): Promise<BegunOnComputer> {
    return this.#act(computer, 'start', options)
  }

  /** Begins to stop a computer: its programs end, and its files stay. */
  stop(computer: string, options: RequestOptions = {}): Promise<BegunOnComputer> {
    return this.#act(computer, 'stop', options)
  }

  /** Begins to start a computer unless it runs or starts already. */
  ensureReady(computer: string, options: RequestOptions = {}): Promise<BegunOnComputer> {
    return this.#act(computer, 'ensure-ready', options)
  }

  /** Begins to delete a computer with its files. */
  delete(computer: string, options: RequestOptions = {}): Promise<BegunOnComputer> {
    const path = pathOf(computer)
    return this.#context.transport.json({ method: 'DELETE', path, retry: 'refused', ...callFields(options) })
  }

  /** Returns what a computer has used since it was created. */
  async usage(computer: string, options: RequestOptions = {}): Promise<ComputerUsage> {
    return (await this.#get<{ usage: ComputerUsage }>(`${pathOf(computer)}/usage`, options)).usage
  }

  /** Returns where a computer is reached. */
  async connection(computer: string, options: RequestOptions = {}): Promise<ComputerConnection> {
    const path = `${pathOf(computer)}/connection`
    return (await this.#get<{ connection: ComputerConnection }>(path, options)).connection
  }

  /** Makes a key that opens a computer by SSH for 15 minutes, by the TLS port of the server. */
  sshCredentials(computer: string, options: RequestOptions = {}): Promise<SshCredentials> {
    const path = `${pathOf(computer)}/ssh-credentials`
    return this.#context.transport.json({ method: 'POST', path, json: {}, retry: 'repeatable', ...callFields(options) })
  }

  /**
   * Waits for what was begun, and returns the computer as it is then: as it was when it is deleted. Rejects with a
   * `CarrelOperationError` when the operation fails.
   */
  async settle({ computer, operation }: BegunOnComputer, options: SettleOptions = {}): Promise<Computer> {
    let current = operation
    for (let pauseMs = minPollMs; current?.status === 'running'; pauseMs = Math.min(maxPollMs, pauseMs * 1.5)) {
      options.onProgress?.(current)
      await delay(pauseMs, options.signal)
      const path = `/v1/operations/${encodeURIComponent(current.id)}`
      current = (await this.#get<{ operation: ComputerOperation }>(path, options)).operation
    }
    if (current?.status === 'failed') throw new CarrelOperationError(current)
    return current?.kind === 'computer.delete' ? computer : this.get(computer.id, options)
  }

  #act(computer: string, action: string, options: RequestOptions): Promise<BegunOnComputer> {
    const path = `${pathOf(computer)}/actions/${action}`
    return this.#context.transport.json({ method: 'POST', path, json: {}, retry: 'repeatable', ...callFields(options) })
  }

  #get<T>(path: string, options: RequestOptions): Promise<T> {
    return this.#context.transport.json<T>({ method: 'GET', path, retry: 'repeatable', ...callFields(options) })
  }
}

function pathOf(computer: string): string {
  return `${root}/${encodeURIComponent(computer)}`
}

const root = '/v1/computers'
const minPollMs = 50
const maxPollMs = 1500
