import { balance, health, me, usage } from './account.ts'
import type { Balance, Health, Me, Usage, UsageOptions } from './account.ts'
import { Computers } from './computers/computers.ts'
import type { Context, RequestOptions } from './context.ts'
import { Datasets } from './datasets.ts'
import { defaultWebSocket } from './default-web-socket.ts'
import { cancelDeletion, deleteAccount } from './deletion.ts'
import type { Deletion } from './deletion.ts'
import { attachExecSession, openExecSession } from './exec-session.ts'
import type { AttachOptions, ExecOptions, ExecSession } from './exec-session.ts'
import type { WebSocketConstructor } from './exec-socket.ts'
import { execute, executeStream } from './execute.ts'
import type { ExecuteAnswer, ExecuteEvent, ExecuteOptions } from './execute.ts'
import { Files } from './files.ts'
import { Keys } from './keys.ts'
import { changeLimits, readLimits } from './limits.ts'
import type { LimitChange, SpendingLimits } from './limits.ts'
import { redeemLink, requestLink } from './sign-in.ts'
import type { Session } from './sign-in.ts'
import { Memory } from './memory.ts'
import { interpret } from './interpret.ts'
import type { InterpretAnswer, InterpretOptions } from './interpret.ts'
import { expose } from './ports.ts'
import type { ExposedPort } from './ports.ts'
import { Processes } from './processes.ts'
import { Sandboxes } from './sandboxes.ts'
import { Sessions } from './sessions.ts'
import { takesMachinePayments, topUp, topUpOffer } from './top-up.ts'
import type { TopUp, TopUpOffer, TopUpOptions } from './top-up.ts'
import { Transport } from './transport.ts'
import { Workspaces } from './workspaces.ts'

export interface CarrelOptions {
  /** Default: `CARREL_URL`, else `http://127.0.0.1:4280`. */
  baseUrl?: string | undefined
  /** Default: `CARREL_TOKEN`. */
  token?: string | undefined
  /** The sandbox that calls use; default: the account's own. */
  sessionId?: string | undefined
  /** Time limit of calls that set none themselves, in milliseconds, including retries; default 60,000. */
  timeoutMs?: number | undefined
  /** Attempts after the first; default 3. */
  maxRetries?: number | undefined
  /** Default: `carrel-sdk`. */
  userAgent?: string | undefined
  /** Default: the global one. */
  fetch?: typeof globalThis.fetch | undefined
  /**
   * Default: that of the package `ws`, else the global one, which Node has since version 22. `ws` is better: it can
   * pause a connection whose output is not read, and confirm that input has arrived.
   */
  WebSocket?: WebSocketConstructor | undefined
}

const defaultBaseUrl = 'http://127.0.0.1:4280'
const defaultTimeoutMs = 60_000
const defaultMaxRetries = 3

/**
 * A client for one account on one Carrel server.
 *
 * A call that fails rejects with a `CarrelError`: a `CarrelApiError` if the server refused it, a
 * `CarrelConnectionError` if there was no answer, a `CarrelTimeoutError` if its time limit passed. Aborting the `signal`
 * of a call rejects it with the signal's reason.
 *
 * @example
 *   const carrel = new Carrel({ baseUrl: 'https://carrel.example.com', token: process.env.TOKEN })
 *   const { result } = await carrel.execute('print(6 * 7)', { language: 'python' })
 *   console.log(result.stdout, result.exitCode)
 */
export class Carrel {
  readonly computers: Computers
  readonly datasets: Datasets
  readonly files: Files
  readonly keys: Keys
  readonly sessions: Sessions
  readonly memory: Memory
  readonly processes: Processes
  readonly sandboxes: Sandboxes
  readonly workspaces: Workspaces
  readonly #context: Context

  constructor(options: CarrelOptions = {}) {
    const env = globalThis.process?.env ?? {}
    const transport = new Transport({
      baseUrl: options.baseUrl ?? (env['CARREL_URL'] || defaultBaseUrl),
      token: options.token ?? env['CARREL_TOKEN'],
      timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
      maxRetries: options.maxRetries ?? defaultMaxRetries,
      userAgent: options.userAgent ?? 'carrel-sdk',
      fetch: options.fetch ?? globalThis.fetch,
    })
    const { WebSocket, sessionId } = options
    this.#context = { transport, sessionId, loadWebSocket: WebSocket ? async () => WebSocket : defaultWebSocket }
    this.computers = new Computers(this.#context)
    this.datasets = new Datasets(this.#context)
    this.files = new Files(this.#context)
    this.keys = new Keys(this.#context)
    this.sessions = new Sessions(this.#context)
    this.memory = new Memory(this.#context)
    this.processes = new Processes(this.#context)
    this.sandboxes = new Sandboxes(this.#context)
    this.workspaces = new Workspaces(this.#context)
  }

  /** The address of the server. */
  get baseUrl(): string {
    return this.#context.transport.baseUrl
  }

  /** Runs code to its end. A program that fails is a result, not an error; a retry never runs the code twice. */
  execute(code: string, options?: ExecuteOptions): Promise<ExecuteAnswer> {
    return execute(this.#context, code, options)
  }

  /**
   * Runs code and yields its output as it arrives. Leaving the loop closes the connection.
   *
   * @example
   *   for await (const event of carrel.executeStream('npm test'))
   *     if (event.type === 'stdout' || event.type === 'stderr') process[event.type].write(event.data)
   */
  executeStream(code: string, options?: ExecuteOptions): AsyncGenerator<ExecuteEvent> {
    return executeStream(this.#context, code, options)
  }

  /** Runs code in a kernel that keeps its variables. Returns figures, tables and values. */
  interpret(code: string, options?: InterpretOptions): Promise<InterpretAnswer> {
    return interpret(this.#context, code, options)
  }

  /**
   * Starts a program with live input and output, optionally on a terminal. Resolves once the program runs.
   *
   * @example
   *   const session = await carrel.exec({ argv: ['sort'], stdin: true })
   *   await session.write('b\na\n')
   *   session.end()
   *   console.log((await session.result()).stdout)
   */
  exec(options: ExecOptions): Promise<ExecSession> {
    return openExecSession(this.#context, options)
  }

  /**
   * Attaches to a process that was started before: live input, and output from the oldest that is kept. Failures
   * surface while reading.
   */
  attach(processId: string, options?: AttachOptions): Promise<ExecSession> {
    return attachExecSession(this.#context, processId, options)
  }

  /** Gives a port of the sandbox a public address. Start the server on that port first. */
  expose(port: number, options?: RequestOptions): Promise<ExposedPort> {
    return expose(this.#context, port, options)
  }

  /** Returns the health of the server; needs no token. */
  health(options?: RequestOptions): Promise<Health> {
    return health(this.#context, options)
  }

  /** Returns the user or workspace that the token stands for. */
  me(options?: RequestOptions): Promise<Me> {
    return me(this.#context, options)
  }

  /** Returns the credit that is left. */
  balance(options?: RequestOptions): Promise<Balance> {
    return balance(this.#context, options)
  }

  /** Schedules the account and all its data for deletion in 30 days; until then `cancelDeletion` keeps it. */
  deleteAccount(options?: RequestOptions): Promise<Deletion> {
    return deleteAccount(this.#context, options)
  }

  /** Cancels a scheduled deletion of the account. */
  cancelDeletion(options?: RequestOptions): Promise<Deletion> {
    return cancelDeletion(this.#context, options)
  }

  /** Begins a payment for a package or an amount; a person pays at the returned `checkoutUrl`. */
  topUp(options: TopUpOptions): Promise<TopUp> {
    return topUp(this.#context, options)
  }

  /** Returns the packages of credit, the minimum and maximum amount, and the payment methods. */
  topUpOffer(options?: RequestOptions): Promise<TopUpOffer> {
    return topUpOffer(this.#context, options)
  }

  /** Returns whether the server accepts payments from programs. Nothing is paid. */
  takesMachinePayments(options?: RequestOptions): Promise<boolean> {
    return takesMachinePayments(this.#context, options)
  }

  /** Returns usage by day, computer, key and label. */
  usage(options?: UsageOptions): Promise<Usage> {
    return usage(this.#context, options)
  }

  /** Returns the spending limits of the workspace and its API keys, and what they have spent. */
  limits(options?: RequestOptions): Promise<SpendingLimits> {
    return readLimits(this.#context, options)
  }

  /** Sets and removes spending limits, all or none of them. Requires the role `admin`. */
  changeLimits(change: LimitChange, options?: RequestOptions): Promise<SpendingLimits> {
    return changeLimits(this.#context, change, options)
  }

  /** Requests a sign-in link by mail; needs no token. Resolves with where to find it, as the server says. */
  requestLink(email: string, options?: RequestOptions): Promise<string> {
    return requestLink(this.#context, email, options)
  }

  /** Exchanges the code of a sign-in link, which works once, for a token; needs no token. */
  redeemLink(code: string, options?: RequestOptions): Promise<Session> {
    return redeemLink(this.#context, code, options)
  }
}
