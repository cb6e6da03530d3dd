import { balance, health, me, usage } from './account.ts'
import type { Balance, Health, Me, Usage, UsageOptions } from './account.ts'
import type { Context, RequestOptions } from './context.ts'
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
import { Sessions } from './sessions.ts'
import { takesMachinePayments, topUp, topUpOffer } from './top-up.ts'
import type { TopUp, TopUpOffer, TopUpOptions } from './top-up.ts'
import { Transport } from './transport.ts'
import { Workspaces } from './workspaces.ts'

export interface CarrelOptions {
  /** Default: `CARREL_URL`, else `http://127.0.0.1:4280`. */
  baseUrl?: string
  /** Default: `CARREL_TOKEN`. */
  token?: string
  /** The sandbox that calls are for; default: the account's own. */
  sessionId?: string
  /** For calls that don't say their own, in milliseconds, retries included; default 60,000. */
  timeoutMs?: number
  /** Tries after the first one; default 3. */
  maxRetries?: number
  userAgent?: string
  /** Default: the global one. */
  fetch?: typeof globalThis.fetch
  /**
   * Default: the global one, which Node has from version 22 on. The one of the package `ws` is better: it can pause a
   * connection whose output is not read, and prove that input has arrived.
   */
  WebSocket?: WebSocketConstructor
}

const defaultBaseUrl = 'http://127.0.0.1:4280'
const defaultTimeoutMs = 60_000
const defaultMaxRetries = 3

/** One account on one Carrel server. Every call rejects with one of the three classes of `errors.ts`. */
export class Carrel {
  readonly files: Files
  readonly keys: Keys
  readonly sessions: Sessions
  readonly memory: Memory
  readonly processes: Processes
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
    const WebSocket = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket
    this.#context = { transport, sessionId: options.sessionId, WebSocket }
    this.files = new Files(this.#context)
    this.keys = new Keys(this.#context)
    this.sessions = new Sessions(this.#context)
    this.memory = new Memory(this.#context)
    this.processes = new Processes(this.#context)
    this.workspaces = new Workspaces(this.#context)
  }

  get baseUrl(): string {
    return this.#context.transport.baseUrl
  }

  /** Runs code to its end. A failing program is an answer, not an error; a retry never runs it twice. */
  execute(code: string, options?: ExecuteOptions): Promise<ExecuteAnswer> {
    return execute(this.#context, code, options)
  }

  /** The same with its output as it comes. */
  executeStream(code: string, options?: ExecuteOptions): AsyncGenerator<ExecuteEvent> {
    return executeStream(this.#context, code, options)
  }

  /** Runs code in a kernel that keeps its variables, with figures, tables and values in the answer. */
  interpret(code: string, options?: InterpretOptions): Promise<InterpretAnswer> {
    return interpret(this.#context, code, options)
  }

  /** Starts a program with live input and output, on a terminal if asked; resolves once it runs. */
  exec(options: ExecOptions): Promise<ExecSession> {
    return openExecSession(this.#context, options)
  }

  /** Live output, from the oldest that is kept, and input of a process that was started before; rejects while reading. */
  attach(processId: string, options?: AttachOptions): Promise<ExecSession> {
    return attachExecSession(this.#context, processId, options)
  }

  /** Gives a port of the sandbox a public address. Start its server first. */
  expose(port: number, options?: RequestOptions): Promise<ExposedPort> {
    return expose(this.#context, port, options)
  }

  /** Whether the server is there; needs no token. */
  health(options?: RequestOptions): Promise<Health> {
    return health(this.#context, options)
  }

  /** Who the token stands for. */
  me(options?: RequestOptions): Promise<Me> {
    return me(this.#context, options)
  }

  /** What is left to spend. */
  balance(options?: RequestOptions): Promise<Balance> {
    return balance(this.#context, options)
  }

  /** Lets the account and all it has go in 30 days; until then `cancelDeletion` keeps it. */
  deleteAccount(options?: RequestOptions): Promise<Deletion> {
    return deleteAccount(this.#context, options)
  }

  cancelDeletion(options?: RequestOptions): Promise<Deletion> {
    return cancelDeletion(this.#context, options)
  }

  /** Begins a payment by a package or an amount; a person pays at its `checkoutUrl`. */
  topUp(options: TopUpOptions): Promise<TopUp> {
    return topUp(this.#context, options)
  }

  /** Packages of credit, the least and the most that can be bought, and the ways of paying. */
  topUpOffer(options?: RequestOptions): Promise<TopUpOffer> {
    return topUpOffer(this.#context, options)
  }

  /** Whether the server takes payments from programs; nothing is paid. */
  takesMachinePayments(options?: RequestOptions): Promise<boolean> {
    return takesMachinePayments(this.#context, options)
  }

  /** What was used, by day, computer, key and label. */
  usage(options?: UsageOptions): Promise<Usage> {
    return usage(this.#context, options)
  }

  /** What the workspace and its API keys may spend, and have spent. */
  limits(options?: RequestOptions): Promise<SpendingLimits> {
    return readLimits(this.#context, options)
  }

  /** Sets and takes away limits, all or nothing. It takes an admin. */
  changeLimits(change: LimitChange, options?: RequestOptions): Promise<SpendingLimits> {
    return changeLimits(this.#context, change, options)
  }

  /** Has a link for signing in sent to an address; needs no token. */
  requestLink(email: string, options?: RequestOptions): Promise<void> {
    return requestLink(this.#context, email, options)
  }

  /** The token for the code of such a link, which works once; needs no token. */
  redeemLink(code: string, options?: RequestOptions): Promise<Session> {
    return redeemLink(this.#context, code, options)
  }
}
