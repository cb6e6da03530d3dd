import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openDatabase } from '../../src/db/open.ts'
import { createAccount } from '../../src/engine/identity/accounts/owner.ts'
import { createToken } from '../../src/engine/identity/accounts/tokens.ts'

/** Where the tests keep their images and computers; apart from a real server's. */
export const testDataDirectory = process.env.CARREL_DATA ?? '/var/lib/carrel-test'
export const testNetwork = process.env.CARREL_NETWORK ?? '10.214'

export const serverProgram = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface Answer {
  status: number
  headers: Headers
  /** The parsed body when it is JSON, else its text. */
  body: any // oxlint-disable-line typescript/no-explicit-any -- tests look into answers of every shape
}

interface ServerOptions {
  /** Settings beside those of every test. */
  env?: Record<string, string>
  /** Its main program; the one of this project by default. */
  program?: string
  /** How many file descriptors it may have. */
  descriptors?: number
}

/** The settings of every server of the tests. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    CARREL_DATA: testDataDirectory,
    CARREL_NETWORK: testNetwork,
    CARREL_PORT: '0',
    CARREL_IMAGE: 'slim',
    CARREL_LOG_LEVEL: 'warn',
    // All of them come from one network, and sign up more people than anybody does in a day.
    CARREL_FIRST_CREDITS_PER_NETWORK: '0',
    CARREL_FIRST_CREDITS_PER_DAY: '0',
    CARREL_MAILS_PER_NETWORK: '0',
    CARREL_MAILS_PER_DAY: '0',
    CARREL_INVITATIONS_PER_DAY: '0',
    CARREL_WARM_COMPUTERS: '0',
    CARREL_NETWORK_POOL: '4',
    CARREL_COMPUTER_MEMORY_MIB: '256',
    CARREL_COMPUTER_DISK_MIB: '512',
    CARREL_COMPUTER_PIDS: '256',
  }
}

/** A real server in a process of its own, on a free port, with the small image. */
export class TestServer {
  readonly url: string
  readonly token: string
  readonly process: ChildProcess
  /** What it wrote on stderr as yet. */
  readonly log: () => string
  /** What it wrote on stdout until it was ready. */
  readonly banner: string

  private constructor(parts: Pick<TestServer, 'process' | 'url' | 'token' | 'banner' | 'log'>) {
    this.process = parts.process
    this.url = parts.url
    this.token = parts.token
    this.banner = parts.banner
    this.log = parts.log
  }

  static async start(options: ServerOptions = {}): Promise<TestServer> {
    const env = { ...serverEnvironment(), ...options.env }
    const argv = [process.execPath, options.program ?? serverProgram]
    // It becomes the server itself, which keeps its process id.
    if (options.descriptors !== undefined) argv.unshift('prlimit', `--nofile=${options.descriptors}`)
    const child = spawn(argv[0]!, argv.slice(1), {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        stdout += chunk.toString()
        const [, found] = /ready at (http:\S+)/.exec(stdout) ?? []
        if (found) resolve(found)
      })
      child.on('exit', (code, signal) =>
        reject(new Error(`The server ended with ${code ?? signal}:\n${stdout}${stderr}`)),
      )
    })
    const token = readFileSync(join(env.CARREL_DATA ?? testDataDirectory, 'owner.token'), 'utf8').trim()
    return new TestServer({ process: child, url, token, banner: stdout, log: () => stderr })
  }

  /** Ends it and waits for it. SIGTERM is the orderly way, SIGKILL the other. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return this.process.exitCode
    const exited = once(this.process, 'exit')
    this.process.kill(signal)
    await exited
    return this.process.exitCode
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    options: { token?: string | null; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const token = options.token === undefined ? this.token : options.token
    const headers: Record<string, string> = {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...options.headers,
    }
    if (body !== undefined) headers['content-type'] ??= 'application/json'
    const raw = typeof body === 'string' || body instanceof Uint8Array || body instanceof FormData
    if (body instanceof FormData) delete headers['content-type']
    const response = await fetch(this.url + path, {
      method,
      headers,
      body: body === undefined ? undefined : raw ? (body as string) : JSON.stringify(body),
    })
    const text = await response.text()
    // A fault of the server names its cause in its log alone.
    if (response.status === 500) console.error(this.log().slice(-4000))
    const isJson = response.headers.get('content-type')?.includes('json')
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  }

  post(
    path: string,
    body?: unknown,
    options: { token?: string | null; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    return this.call('POST', path, body ?? {}, options)
  }

  /** The body of an answer that has to be 200. */
  async done(path: string, body: Record<string, unknown>): Promise<Answer['body']> {
    const answer = await this.post(path, body)
    if (answer.status === 200) return answer.body
    throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(answer.body).slice(0, 500)}`)
  }

  /** Runs shell code to its end and gives the answer's `result`. */
  async shell(code: string, extra: Record<string, unknown> = {}): Promise<Answer['body']> {
    return (await this.done('/execute', { code, language: 'shell', ...extra })).result
  }

  /** A second tenant: the token of a new account. */
  async newAccount(name = 'other'): Promise<string> {
    const db = await openDatabase(join(testDataDirectory, 'carrel.db'))
    try {
      return await createToken(db, await createAccount(db, name), 'test')
    } finally {
      await db.destroy()
    }
  }

  /** A request to a preview by its Host header, since `*.localhost` does not resolve everywhere. */
  preview(
    previewUrl: string,
    path: string,
    options: { method?: string; headers?: Record<string, string>; body?: Buffer } = {},
  ): Promise<{ status: number; headers: Record<string, string | string[] | undefined>; body: Buffer }> {
    const { host } = new URL(previewUrl)
    const { hostname, port } = new URL(this.url)
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        { hostname, port, path, method: options.method ?? 'GET', headers: { ...options.headers, host } },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () =>
            resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
          )
          response.on('error', reject)
        },
      )
      request.on('error', reject)
      request.end(options.body)
    })
  }
}

/** A name for a sandbox of its own. */
export function newSession(): string {
  return `t-${Math.random().toString(36).slice(2, 10)}`
}

/** Asks until the answer is as wished; fails after `timeoutMs`. */
export async function until<T>(
  ask: () => Promise<T> | T,
  wished: (value: T) => boolean,
  timeoutMs = 20_000,
): Promise<T> {
  for (const end = Date.now() + timeoutMs; ;) {
    const value = await ask()
    if (wished(value)) return value
    if (Date.now() > end)
      throw new Error(
        `It did not come about within ${timeoutMs} ms; the last answer: ${JSON.stringify(value)?.slice(0, 500)}`,
      )
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
