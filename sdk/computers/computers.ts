import { callFields } from '../context.ts'
import type { Context, RequestOptions } from '../context.ts'
import { AccessSessions } from './access-sessions.ts'
import type {
  BegunFork,
  BegunOnComputer,
  BegunResize,
  Capacity,
  Computer,
  ComputerConnection,
  ComputerUsage,
  SshCredentials,
} from './computer.ts'
import { guestField, nameFields, sizeFields } from './computer-options.ts'
import type {
  CapacityOptions,
  ComputerNames,
  CreateComputerOptions,
  ForkOptions,
  RepeatableOptions,
  ResizeOptions,
} from './computer-options.ts'
import { ComputerPorts } from './computer-ports.ts'
import { waitFor } from './operation.ts'
import type { ComputerOperation, WaitOptions } from './operation.ts'
import { computersPath, get, pathOf, postOnce } from './requests.ts'
import { Shares } from './shares.ts'
import { Snapshots } from './snapshots.ts'

/**
 * Computers that keep their files. Each is named by its id or handle. What takes time is begun, and `settle` waits for
 * its end.
 *
 * @example
 *   const computer = await carrel.computers.settle(await carrel.computers.create({ handle: 'build' }))
 *   await carrel.execute('make', { sessionId: computer.handle })
 */
export class Computers {
  readonly accessSessions: AccessSessions
  readonly ports: ComputerPorts
  readonly shares: Shares
  readonly snapshots: Snapshots
  readonly #context: Context

  constructor(context: Context) {
    this.#context = context
    this.accessSessions = new AccessSessions(context)
    this.ports = new ComputerPorts(context)
    this.shares = new Shares(context)
    this.snapshots = new Snapshots(context)
  }

  /** Returns all computers, in the order of their creation. */
  async list(options: RequestOptions = {}): Promise<Computer[]> {
    return (await get<{ computers: Computer[] }>(this.#context, computersPath, options)).computers
  }

  async get(computer: string, options: RequestOptions = {}): Promise<Computer> {
    return (await get<BegunOnComputer>(this.#context, pathOf(computer), options)).computer
  }

  /** Begins to create a computer and to start it. */
  create(options: CreateComputerOptions = {}): Promise<BegunOnComputer> {
    const { imageId } = options
    const json = {
      ...nameFields(options),
      ...sizeFields(options),
      ...guestField(options),
      ...(imageId === undefined ? {} : { source: { kind: 'image', image_id: imageId } }),
    }
    return postOnce(this.#context, computersPath, json, options)
  }

  /** Changes the handle, the name for people, or both. */
  async rename(
    computer: string,
    { handle, displayName, ...options }: RequestOptions & ComputerNames,
  ): Promise<Computer> {
    const answer = await this.#context.transport.json<BegunOnComputer>({
      method: 'PATCH',
      path: pathOf(computer),
      json: nameFields({ handle, displayName }),
      retry: 'repeatable',
      ...callFields(options),
    })
    return answer.computer
  }

  /** Begins to change memory, storage or both; what is left out stays. Restarts the computer only where it must. */
  resize(computer: string, options: ResizeOptions): Promise<BegunResize> {
    return postOnce(this.#context, `${pathOf(computer)}/actions/resize`, sizeFields(options), options)
  }

  /** Begins to make copies of a computer as it is now, all of one moment, and to start them. */
  fork(computer: string, options: ForkOptions = {}): Promise<BegunFork> {
    const json = { count: options.count, ...nameFields(options), ...sizeFields(options) }
    return postOnce(this.#context, `${pathOf(computer)}/fork`, json, options)
  }

  /** Begins to replace the files of a computer by those of a snapshot. All other files are lost. */
  restoreInPlace(computer: string, snapshotId: string, options: RepeatableOptions = {}): Promise<BegunOnComputer> {
    const path = `${pathOf(computer)}/actions/restore`
    return postOnce(this.#context, path, { snapshot_id: snapshotId }, options)
  }

  /**
   * Gives a computer to another workspace, with its snapshots. Programs in it end, and so does all access to it. Requires
   * the token of a sign-in.
   */
  async transfer(computer: string, workspaceId: string, options: RequestOptions = {}): Promise<Computer> {
    const answer = await this.#context.transport.json<BegunOnComputer>({
      method: 'POST',
      path: `${pathOf(computer)}/actions/transfer`,
      json: { target_org_id: workspaceId },
      retry: 'refused',
      ...callFields(options),
    })
    return answer.computer
  }

  /** Returns whether a computer of a size fits on the server now, and what does. */
  capacity({ computer, ...options }: CapacityOptions = {}): Promise<Capacity> {
    return this.#context.transport.json({
      method: 'POST',
      path: '/v1/computer-capacity/check',
      json: { computer_id: computer, ...sizeFields(options) },
      retry: 'repeatable',
      ...callFields(options),
    })
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
    return (await get<{ usage: ComputerUsage }>(this.#context, `${pathOf(computer)}/usage`, options)).usage
  }

  /** Returns where a computer is reached. */
  async connection(computer: string, options: RequestOptions = {}): Promise<ComputerConnection> {
    const path = `${pathOf(computer)}/connection`
    return (await get<{ connection: ComputerConnection }>(this.#context, path, options)).connection
  }

  /** Makes a key that opens a computer by SSH for 15 minutes, by the TLS port of the server. */
  sshCredentials(computer: string, options: RequestOptions = {}): Promise<SshCredentials> {
    const path = `${pathOf(computer)}/ssh-credentials`
    return this.#context.transport.json({ method: 'POST', path, json: {}, retry: 'repeatable', ...callFields(options) })
  }

  /**
   * Waits for what was begun, and returns the computer as it is then: as it was when it is deleted. Rejects with a
   * `CarrelOperationError` when the operation fails, and with a `CarrelTimeoutError` at the time limit.
   */
  async settle({ computer, operation }: BegunOnComputer, options: WaitOptions = {}): Promise<Computer> {
    if (operation) await this.waitFor(operation, options)
    return operation?.kind === 'computer.delete' ? computer : this.get(computer.id, options)
  }

  /** Waits for the end of an operation, and returns it. Rejects as `settle` does. */
  waitFor(operation: ComputerOperation, options: WaitOptions = {}): Promise<ComputerOperation> {
    return waitFor(this.#context, operation, options)
  }

  #act(computer: string, action: string, options: RequestOptions): Promise<BegunOnComputer> {
    const path = `${pathOf(computer)}/actions/${action}`
    return this.#context.transport.json({ method: 'POST', path, json: {}, retry: 'repeatable', ...callFields(options) })
  }
}
