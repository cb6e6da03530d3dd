import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { residentBytes } from './resident-bytes.ts'
import { TestServer } from './server.ts'

const MiB = 1024 * 1024

/** The load that some work put on a server. */
export interface Strain {
  /** The longest turn of the event loop, in processor time, which does not grow with the load of the host. */
  longestTurnMs: number
  grownMiB: number
}

/** A server whose event loop and memory are measured while it works. */
export class WatchedServer {
  readonly server: TestServer
  readonly #directory: string

  private constructor(server: TestServer, directory: string) {
    this.server = server
    this.#directory = directory
  }

  static async start(env: Record<string, string> = {}): Promise<WatchedServer> {
    const directory = mkdtempSync(join(tmpdir(), 'carrel-turns-'))
    const turns = join(directory, 'turns')
    writeFileSync(turns, '')
    const program = fileURLToPath(new URL('watched-server-program.ts', import.meta.url))
    return new WatchedServer(await TestServer.start({ program, env: { ...env, CARREL_TEST_TURNS: turns } }), directory)
  }

  /** Runs some work; returns its result and its strain. */
  async during<T>(work: () => Promise<T>): Promise<[result: T, strain: Strain]> {
    const memory = () => residentBytes(this.server.process.pid!)
    const beganMs = Date.now()
    const before = memory()
    let max = before
    const watch = setInterval(() => (max = Math.max(max, memory())), 20)
    try {
      const result = await work()
      return [result, { longestTurnMs: await this.#longestMs(beganMs), grownMiB: Math.round((max - before) / MiB) }]
    } finally {
      clearInterval(watch)
    }
  }

  /** Returns the longest turn since a time; 0 if all were short. */
  async #longestMs(sinceMs: number): Promise<number> {
    // Once the second request is answered, the turn of the first is over and recorded.
    for (let count = 0; count < 2; count++) await this.server.call('GET', '/health')
    const turns = readFileSync(join(this.#directory, 'turns'), 'utf8')
      .split('\n')
      .map((line) => line.split(' ').map(Number) as [atMs: number, tookMs: number])
    return Math.max(0, ...turns.filter(([atMs]) => atMs >= sinceMs).map(([, tookMs]) => Math.round(tookMs)))
  }

  async stop(): Promise<void> {
    await this.server.stop()
    rmSync(this.#directory, { recursive: true })
  }
}
