import { EventEmitter } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import multipart from '@fastify/multipart'
import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import type { WebSocket } from 'ws'
import type { Usage } from '../account.ts'
import type { Computer, ComputerConnection } from '../computers/computer.ts'
import type { PublishedPort } from '../computers/computer-ports.ts'
import type { ComputerOperation } from '../computers/operation.ts'
import type { Dataset } from '../datasets.ts'
import type { Sandbox } from '../sandboxes.ts'
import type { ClientMessage } from '../exec-messages.ts'
import { serveAccount } from './fake-account.ts'
import { serveComputers } from './fake-computers.ts'
import { serveExec } from './fake-exec.ts'
import { FakeFailure } from './fake-failure.ts'
import { serveFiles } from './fake-files.ts'
import { serveMemory } from './fake-memory.ts'
import { FakeProcess } from './fake-process.ts'
import type { SpawnRequest } from './fake-process.ts'
import { serveProcesses } from './fake-processes.ts'
import { serveSandboxes } from './fake-sandboxes.ts'

/** A fault: an error, an answer lost after the work, a connection cut before the work, or no answer. */
export type Fault = FakeFailure | 'lose-answer' | 'cut' | 'silence'

interface RecordedRequest {
  method: string
  path: string
  headers: Record<string, string | string[] | undefined>
  body: unknown
}

export const usageAnswer: Usage = {
  from: '2026-01-25T00:00:00.000Z',
  to: '2026-01-26T12:00:00.000Z',
  creditsRemaining: 4.5,
  billed: true,
  totals: [
    { of: '', meter: 'browser', quantity: 20, unit: 's', amountMicros: 2000 },
    { of: '', meter: 'compute', quantity: 4000.5, unit: 's', amountMicros: 400_050 },
  ],
  byDay: [
    { of: '2026-01-25', meter: 'compute', quantity: 3000, unit: 's', amountMicros: 300_000 },
    { of: '2026-01-26', meter: 'browser', quantity: 20, unit: 's', amountMicros: 2000 },
    { of: '2026-01-26', meter: 'compute', quantity: 1000.5, unit: 's', amountMicros: 100_050 },
  ],
  byComputer: [{ of: 'abc123', name: 'web', meter: 'compute', quantity: 4000.5, unit: 's', amountMicros: 400_050 }],
  byKey: [{ of: '', meter: 'compute', quantity: 4000.5, unit: 's', amountMicros: 400_050 }],
  byLabel: [{ of: 'web', meter: 'compute', quantity: 4000.5, unit: 's', amountMicros: 400_050 }],
}

interface FakeServerEvents {
  'exec-message': [ClientMessage]
  'exec-input': [Buffer]
  spawn: [FakeProcess]
}

/**
 * A server that follows the HTTP contract, for the tests of the SDK and the CLI. It runs programs of this machine,
 * keeps files in a folder, and fails on request.
 */
export class FakeServer extends EventEmitter<FakeServerEvents> {
  readonly token = 'pp_sess_fake'
  readonly requests: RecordedRequest[] = []
  readonly processes = new Map<string, FakeProcess>()
  readonly sandboxes: Sandbox[] = []
  readonly datasets: Dataset[] = []
  readonly computers: Computer[] = []
  readonly ports: PublishedPort[] = []
  /** Where computers are reached; undefined when the server has no port left for them. */
  connection: Omit<ComputerConnection, 'handle'> | undefined
  /** The states of the operation that the next start of a computer is. */
  readonly operationStates: ComputerOperation[] = []
  /** How many access sessions there are, how long they last, and where they lead. */
  accessSessions = 0
  accessSessionMs = 3_600_000
  computerOrigin = 'http://build.computers.test'
  readonly uploads: { path: string; size: number; sha256: string; originalName: string }[] = []
  readonly execMessages: ClientMessage[] = []
  readonly execConnections = new Set<WebSocket>()
  /** Maximum output bytes in one message. */
  maxExecMessageBytes = 64 * 1024
  /** Counts and hashes uploads without keeping them. */
  discardsUploads = false
  /** Entries of a directory in one answer. */
  listEntries = Infinity
  version = '9.8.7'
  hasBalance = true
  /** More fields of the answer of GET /health. */
  health = {}
  usage = usageAnswer
  credit = 4.5
  isBilled = true
  /** Whether a person can pay, and whether a program can. */
  hasCheckout = true
  hasMachinePayments = true
  root = ''
  #faults: { path: string; fault: Fault }[] = []
  #cuts: number[] = []
  #answers = new Map<string, string>()
  #app: FastifyInstance | undefined
  #port = 0

  static async start(): Promise<FakeServer> {
    const server = new FakeServer()
    server.root = await mkdtemp(join(tmpdir(), 'carrel-fake-server-'))
    await server.listen()
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get http(): Server {
    if (!this.#app) throw new Error('The fake server does not listen')
    return this.#app.server
  }

  /**
   * Makes the next requests of a path fail, each with one fault. `start` is an exec session, `stream` an event stream.
   */
  failNext(path: string, ...faults: Fault[]): void {
    this.#faults.push(...faults.map((fault) => ({ path, fault })))
  }

  takeFault(path: string): Fault | undefined {
    const index = this.#faults.findIndex((entry) => entry.path === path)
    return index === -1 ? undefined : this.#faults.splice(index, 1)[0]?.fault
  }

  /** Cuts connections, one after the other, after these numbers of further output bytes. */
  cutAfter(...bytes: number[]): void {
    this.#cuts.push(...bytes)
  }

  takeCut(bytes: number): boolean {
    if (this.#cuts[0] === undefined) return false
    this.#cuts[0] -= bytes
    if (this.#cuts[0] > 0) return false
    this.#cuts.shift()
    return true
  }

  refusalOf(authorization: string | undefined): FakeFailure | undefined {
    if (authorization === `Bearer ${this.token}`) return undefined
    return new FakeFailure(401, 'UNAUTHENTICATED', 'The token is not valid')
  }

  argvOf(code: string, language: string): string[] {
    if (language === 'python') return ['python3', '-c', code]
    if (language === 'javascript') return [process.execPath, '-e', code]
    return ['/bin/bash', '--norc', '-c', code]
  }

  spawn(request: SpawnRequest, processId = `proc-${this.processes.size + 1}`): FakeProcess {
    const process = new FakeProcess(processId, request)
    this.processes.set(processId, process)
    this.emit('spawn', process)
    return process
  }

  requestsTo(path: string): RecordedRequest[] {
    return this.requests.filter((request) => request.path === path)
  }

  /** Listens, again on the same port if it has listened before. */
  async listen(): Promise<void> {
    const app = fastify({ forceCloseConnections: true, bodyLimit: 64 * 1024 * 1024 })
    this.#app = app
    await app.register(multipart, { limits: { fileSize: Infinity } })
    app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
      if (error instanceof FakeFailure) {
        if (error.envelope['retryAfter'] !== undefined) reply.header('retry-after', error.envelope['retryAfter'])
        return reply.status(error.status).send(error.envelope)
      }
      return reply.status(error.statusCode ?? 500).send({ error: error.message, code: 'INTERNAL' })
    })
    app.addHook('preHandler', async (request, reply) => {
      const path = request.url.split('?')[0] ?? ''
      this.requests.push({ method: request.method, path, headers: request.headers, body: request.body })
      const refusal = openPaths.has(path) ? undefined : this.refusalOf(request.headers.authorization)
      if (refusal) throw refusal
      const known = this.#answers.get(keyOf(request.headers))
      if (known !== undefined) return reply.type('application/json').send(known)
      const fault = this.takeFault(path)
      if (fault instanceof FakeFailure) throw fault
      if (fault === 'cut') return void request.raw.socket.destroy()
      if (fault === 'lose-answer') reply.header('x-lose', 'yes')
    })
    app.addHook('onSend', async (request, reply, payload) => {
      const key = keyOf(request.headers)
      if (key && typeof payload === 'string' && reply.statusCode === 200) this.#answers.set(key, payload)
      if (reply.getHeader('x-lose')) request.raw.socket.destroy()
      return payload
    })
    serveFiles(app, this)
    serveMemory(app)
    serveAccount(app, this.token)
    serveProcesses(app, this)
    serveSandboxes(app, this)
    app.get('/datasets', async () => this.datasets)
    serveComputers(app, this)
    app.get('/health', async () => ({
      status: 'ok',
      service: 'carrel',
      version: this.version,
      timestamp: 'now',
      ...this.health,
    }))
    app.get('/balance', async () => {
      if (!this.hasBalance) throw new FakeFailure(404, 'NOT_FOUND', 'Route GET /balance does not exist')
      return { creditsRemaining: this.credit, creditsRemainingUsdc: this.credit.toFixed(6) }
    })
    app.delete('/api/v1/account/delete', async () => ({ deleteAt: '2026-02-25T00:00:00.000Z', message: 'It goes.' }))
    app.post('/api/v1/account/cancel-deletion', async () => ({ deleteAt: null, message: 'It stays.' }))
    app.get('/v1/usage', async () => ({ ...this.usage, billed: this.isBilled }))
    app.post<{ Body: { tier?: string; amountCents?: number } }>('/api/v1/credits/topup', async ({ body }, reply) => {
      if (!this.hasCheckout) return reply.status(501).send({ error: 'NOT_SET_UP', message: 'Nobody can pay here' })
      if (body.tier !== undefined && body.tier !== 'starter')
        return reply.status(400).send({ error: 'VALIDATION_ERROR', message: 'There is no such tier' })
      const amountCents = body.amountCents ?? 500
      const checkoutUrl = 'https://pay.test/1'
      return { checkoutUrl, paymentId: '1', amountCents, creditsAdded: amountCents / 100, currency: 'usd' }
    })
    app.get('/topup', async () => ({
      tiers: [{ tier: 'starter', amountCents: 500, creditsAdded: 5, bonusPercent: 0 }],
      customAmount: { minimumCents: 100, maximumCents: 1_000_000 },
      paymentMethodsAccepted: [],
      checkout: true,
    }))
    app.post('/topup', async (_request, reply) => {
      if (!this.hasMachinePayments) throw new FakeFailure(501, 'NOT_SET_UP', 'No program can pay here')
      return reply.status(402).header('www-authenticate', 'Payment id="1"').send({})
    })
    app.post<{ Body: { port: number } }>('/expose', async ({ body: { port } }) => ({
      url: `http://${port}-abc-p${port}_v1.preview.test`,
      wsUrl: `ws://${port}-abc-p${port}_v1.preview.test`,
      exposedAt: new Date().toISOString(),
      port,
    }))
    serveExec(this)
    await app.listen({ host: '127.0.0.1', port: this.#port })
    this.#port = (app.server.address() as AddressInfo).port
  }

  /** Cuts all connections and refuses new ones; programs keep running. */
  async stopListening(): Promise<void> {
    for (const socket of this.execConnections) socket.terminate()
    await this.#app?.close()
    this.#app = undefined
  }

  /** Resolves with the next message of this type from an exec session. */
  execMessage(type: ClientMessage['type']): Promise<ClientMessage> {
    return new Promise((resolve) => {
      const listener = (message: ClientMessage) => {
        if (message.type !== type) return
        this.off('exec-message', listener)
        resolve(message)
      }
      this.on('exec-message', listener)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.processes.values()) process.kill('SIGKILL', 'tree')
    await Promise.all([...this.processes.values()].map(({ ended }) => ended))
    await this.stopListening()
    await rm(this.root, { recursive: true, force: true })
  }
}

const openPaths = new Set(['/health', '/login', '/login/callback'])

function keyOf(headers: RecordedRequest['headers']): string {
  return String(headers['idempotency-key'] ?? '')
}
