import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'

const program = fileURLToPath(new URL('../../scripts/lib/testing/run-postgres.js', import.meta.url))

/** A PostgreSQL server of this host, with the settings of its package, that syncs its commits. */
export class Postgres {
  /** The URL of an empty database. */
  readonly url: string
  readonly #stop: () => Promise<void>

  private constructor(url: string, stop: () => Promise<void>) {
    this.url = url
    this.#stop = stop
  }

  /** Starts a server; undefined where PostgreSQL is not installed. */
  static async open(): Promise<Postgres | undefined> {
    const child = spawn(process.execPath, [program, '--durable'], { stdio: ['pipe', 'pipe', 'ignore'] })
    const exited = once(child, 'exit')
    const lines = createInterface({ input: child.stdout })
    const url = await Promise.race([once(lines, 'line').then(([line]) => String(line)), exited.then(() => undefined)])
    if (url === undefined) return undefined
    const client = new Client({ connectionString: url })
    await client.connect()
    await client.query('create database bench')
    await client.end()
    const own = new URL(url)
    own.pathname = '/bench'
    return new Postgres(own.href, async () => {
      child.stdin.end()
      await exited
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stop()
  }
}
