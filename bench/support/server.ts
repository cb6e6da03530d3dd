import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { benchData, benchEnv, command } from './settings.ts'

const mainProgram = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const maxStartMs = 10 * 60 * 1000
const maxWaitMs = 60_000
const pollMs = 5

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** A real server in a process of its own, with connections that stay open. */
export class BenchServer {
  readonly url: URL
  readonly process: ChildProcess
  /** Milliseconds from the start of the process until it is ready. */
  readonly readyMs: number
  readonly token: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 512 })
  #sessions = 0

  private constructor(process: ChildProcess, url: string, readyMs: number) {
    this.process = process
    this.url = new URL(url)
    this.readyMs = readyMs
    this.token = readFileSync(join(benchData, 'owner.token'), 'utf8').trim()
  }

  static async start(settings: Record<string, string> = {}): Promise<BenchServer> {
    const started = performance.now()
    const args = (process.env.CARREL_BENCH_NODE_OPTIONS ?? '').split(' ').filter(Boolean)
    const child = spawn(process.execPath, [...args, mainProgram], {
      env: { ...benchEnv, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stderr.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4000)))
    const deadline = setTimeout(() => child.kill('SIGKILL'), maxStartMs)
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        const [, found] = /ready at (http:\S+)/.exec(output) ?? []
        if (found) resolve(found)
      })
      child.on('error', reject)
      child.on('exit', (code, signal) => reject(new Error(`The server ended with ${code ?? signal}:\n${output}`)))
    }).finally(() => clearTimeout(deadline))
    return new BenchServer(child, url, performance.now() - started)
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#agent.destroy()
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const exited = once(this.process, 'exit')
    this.process.kill(signal)
    await exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Returns an unused sandbox name. */
  newSession(): string {
    return `bench-${process.pid}-${Date.now()}-${this.#sessions++}`
  }

  /** Sends a body as JSON. */
  request(method: string, path: string, body?: unknown): Promise<Answer> {
    return body === undefined
      ? this.send(method, path, undefined, {})
      : this.send(method, path, Buffer.from(JSON.stringify(body)), { 'content-type': 'application/json' })
  }

  send(method: string, path: string, bytes: Buffer | undefined, headers: Record<string, string>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          host: this.url.hostname,
          port: this.url.port,
          method,
          path,
          agent: this.#agent,
          headers: {
            authorization: `Bearer ${this.token}`,
            ...(bytes ? { 'content-length': bytes.length } : {}),
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () =>
            resolve({
              status: response.statusCode!,
              headers: response.headers,
              text: Buffer.concat(chunks).toString(),
            }),
          )
        },
      )
      request.on('error', reject)
      request.end(bytes)
    })
  }

  /** Returns the milliseconds until the command is answered. Rejects if the answer is wrong. */
  async execute(sessionId: string): Promise<number> {
    const started = performance.now()
    const { status, text } = await this.request('POST', '/execute', {
      code: command.code,
      language: 'shell',
      sessionId,
    })
    const took = performance.now() - started
    const answer = status === 200 ? (JSON.parse(text) as { result: { stdout: string } }) : undefined
    if (answer?.result.stdout !== command.stdout) throw new Error(`POST /execute answered ${status}: ${text}`)
    return took
  }

  /** Runs shell code and returns its stdout. */
  async shell(code: string, sessionId: string): Promise<string> {
    const { status, text } = await this.request('POST', '/execute', { code, language: 'shell', sessionId })
    if (status !== 200) throw new Error(`POST /execute answered ${status}: ${text}`)
    return (JSON.parse(text) as { result: { stdout: string } }).result.stdout
  }

  /** Returns a value of `GET /metrics`. */
  async metric(name: string): Promise<number> {
    const { text } = await this.request('GET', '/metrics')
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `))
    return Number(line?.slice(name.length + 1) ?? 0)
  }

  /** Waits until a pool, `computers` or `networks`, is full. */
  async poolFull(pool: 'computers' | 'networks', size: number): Promise<void> {
    for (const end = Date.now() + maxWaitMs; (await this.metric(`carrel_pool_ready{pool="${pool}"}`)) < size;) {
      if (Date.now() > end) throw new Error(`The pool of ${pool} was not full within ${maxWaitMs} ms`)
      await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
  }
}
