import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { testDataDirectory } from './data-directory.ts'
import { serverDatabaseUrl } from './server-database.ts'
import { serverEnvironment, testNetwork } from './server-environment.ts'
import type { OtherLimits } from './set-limits.ts'
import { TestClient, type Answer } from './test-client.ts'

export { testDataDirectory, testNetwork, serverEnvironment }
export type { Answer }

const limitedServerProgram = fileURLToPath(new URL('limited-server-program.ts', import.meta.url))
export const serverProgram = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

interface ServerOptions {
  /** Settings in addition to those of every test. */
  env?: Record<string, string>
  /** Limits that differ from `limits`, for tests of what happens after a long wait. Excludes `program`. */
  limits?: OtherLimits
  /** The main program; by default that of this project. */
  program?: string
  /** How many file descriptors the server may have. */
  descriptors?: number
  /** Called with the process as soon as it exists, which is long before the server is ready. */
  onSpawn?: (child: ChildProcess) => void
}

/** A real server in a process of its own, on a free port, with the small image. */
export class TestServer extends TestClient {
  readonly process: ChildProcess
  /** What it wrote on stdout until it was ready. */
  readonly banner: string

  private constructor(parts: Pick<TestServer, 'process' | 'url' | 'token' | 'banner' | 'log'>) {
    super(parts)
    this.process = parts.process
    this.banner = parts.banner
  }

  static async start(options: ServerOptions = {}): Promise<TestServer> {
    const env: NodeJS.ProcessEnv = {
      ...serverEnvironment(),
      CARREL_DATABASE_URL: await serverDatabaseUrl(),
      ...(options.limits && { CARREL_TEST_LIMITS: JSON.stringify(options.limits) }),
      ...options.env,
    }
    const program = options.program ?? (options.limits ? limitedServerProgram : serverProgram)
    const argv = [process.execPath, program]
    // prlimit executes the server, which keeps its process id.
    if (options.descriptors !== undefined) argv.unshift('prlimit', `--nofile=${options.descriptors}`)
    const child = spawn(argv[0]!, argv.slice(1), {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    options.onSpawn?.(child)
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
        reject(new Error(`the server ended with ${code ?? signal}:\n${stdout}${stderr}`)),
      )
    })
    const token = readFileSync(join(env.CARREL_DATA ?? testDataDirectory, 'owner.token'), 'utf8').trim()
    return new TestServer({ process: child, url, token, banner: stdout, log: () => stderr })
  }

  /** Ends the server and waits for it: in order with SIGTERM, abruptly with SIGKILL. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return this.process.exitCode
    const exited = once(this.process, 'exit')
    this.process.kill(signal)
    await exited
    return this.process.exitCode
  }
}

/** Returns the name of a new sandbox. */
export function newSession(): string {
  return `t-${Math.random().toString(36).slice(2, 10)}`
}

/** Polls until the result satisfies a condition, and returns it. Throws after `timeoutMs`. */
export async function until<T>(
  ask: () => Promise<T> | T,
  wished: (value: T) => boolean,
  timeoutMs = 60_000,
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
