import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { benchEnv, command } from '../support/settings.ts'

const worker = fileURLToPath(new URL('bare-worker.ts', import.meta.url))

/** The runtime without Carrel, on the same files with the same options. Runs one command at a time. */
export class BareRuntime {
  /** Host path of the container's root. */
  readonly root: string
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>

  private constructor(
    child: ChildProcessByStdio<Writable, Readable, null>,
    lines: AsyncIterator<string>,
    root: string,
  ) {
    this.#child = child
    this.#lines = lines
    this.root = root
  }

  /** Creates and starts a container. The image has to exist. */
  static async open(): Promise<BareRuntime> {
    const child = spawn(process.execPath, [worker], { env: benchEnv, stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const { value, done } = await lines.next()
    if (done) throw new Error('Cannot prepare the bare container: see above')
    return new BareRuntime(child, lines, value)
  }

  /** Returns the milliseconds of a whole `crun run` of the command. */
  run(): Promise<number> {
    return this.#time('run', command.stdout.trim())
  }

  /** Returns the milliseconds of `crun exec` of the command in the running container. */
  exec(): Promise<number> {
    return this.#time('exec', command.stdout.trim())
  }

  /** Returns the milliseconds of `total` such execs, run concurrently by `xargs -P`. */
  execMany(total: number, concurrency: number): Promise<number> {
    return this.#time(`many ${total} ${concurrency}`, `${total} ${command.stdout.trim()}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.stdin.end()
    await exited
  }

  async #time(line: string, expected: string): Promise<number> {
    this.#child.stdin.write(`${line}\n`)
    const { value = '', done } = await this.#lines.next()
    const [, micros, output] = /^(\d+) +(.*)$/.exec(value) ?? []
    if (done || output?.trim() !== expected) throw new Error(`The bare runtime answered "${value}" to "${line}"`)
    return Number(micros) / 1000
  }
}
