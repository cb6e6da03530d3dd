import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { constants } from 'node:os'
import type { ExecExit, OutputChannel } from '../exec-messages.ts'

export interface SpawnRequest {
  argv: string[]
  env?: Record<string, string> | undefined
  cwd?: string | undefined
  stdin: boolean
  timeoutMs?: number | undefined
}

/** A program of this machine that replaces one in a sandbox. Its output is kept, with a cursor in bytes. */
export class FakeProcess extends EventEmitter<{ grew: []; exit: [] }> {
  readonly processId: string
  readonly request: SpawnRequest
  readonly startedAt = new Date().toISOString()
  endedAt: string | null = null
  /** What a client that attaches is told; programs here have none. */
  hasTerminal = false
  exit: ExecExit | undefined
  readonly ended: Promise<void>
  /** All input that has arrived. */
  readonly input: Buffer[] = []
  #records: { channel: OutputChannel; data: Buffer }[] = []
  #size = 0
  readonly #child: ChildProcessWithoutNullStreams
  #timedOut = false

  constructor(processId: string, request: SpawnRequest) {
    super()
    this.processId = processId
    this.request = request
    const [program = '', ...args] = request.argv
    const env = { PATH: process.env['PATH'], ...request.env }
    this.#child = spawn(program, args, { env, cwd: request.cwd, detached: true })
    this.#child.stdin.on('error', () => {})
    if (!request.stdin) this.#child.stdin.end()
    this.#child.stdout.on('data', (data: Buffer) => this.#append('stdout', data))
    this.#child.stderr.on('data', (data: Buffer) => this.#append('stderr', data))
    const timer = request.timeoutMs === undefined ? undefined : setTimeout(() => this.#timeOut(), request.timeoutMs)
    this.ended = this.#wait().finally(() => clearTimeout(timer))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get size(): number {
    return this.#size
  }

  /** Returns the output after the cursor, in order. */
  *read(cursor: number): Generator<{ channel: OutputChannel; data: Buffer }> {
    let at = 0
    for (const { channel, data } of this.#records) {
      const from = Math.max(0, cursor - at)
      if (from < data.length) yield { channel, data: data.subarray(from) }
      at += data.length
    }
  }

  text(channel: OutputChannel): string {
    return this.bytes(channel).toString()
  }

  bytes(channel: OutputChannel): Buffer {
    return Buffer.concat(this.#records.filter((record) => record.channel === channel).map(({ data }) => data))
  }

  /** Writes input. Resolves when the program has accepted it. */
  async write(data: Buffer): Promise<void> {
    this.input.push(data)
    if (!this.#child.stdin.writable) return
    if (this.#child.stdin.write(data)) return
    // A program that has closed its stdin accepts no more input.
    await Promise.race([once(this.#child.stdin, 'drain').catch(() => {}), this.ended])
  }

  endInput(): void {
    this.#child.stdin.end()
  }

  kill(signal: NodeJS.Signals, scope: 'process' | 'tree'): void {
    if (this.exit) return
    try {
      process.kill(scope === 'tree' ? -this.pid : this.pid, signal)
    } catch {
      // The program has already ended.
    }
  }

  /** Ends the program as a server does for a reason of its own. */
  endAs(exit: ExecExit): void {
    this.kill('SIGKILL', 'tree')
    this.#end(exit)
  }

  #append(channel: OutputChannel, data: Buffer): void {
    this.#records.push({ channel, data })
    this.#size += data.length
    this.emit('grew')
  }

  #timeOut(): void {
    this.#timedOut = true
    this.kill('SIGKILL', 'tree')
  }

  async #wait(): Promise<void> {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      this.#child.once('error', () => resolve([127, null]))
      this.#child.once('close', (...outcome) => resolve(outcome))
    })
    this.#end({
      exitCode: signal ? 128 + constants.signals[signal] : code,
      signal,
      reason: this.#timedOut ? 'timeout' : signal ? 'signalled' : 'exited',
      truncated: false,
    })
  }

  #end(exit: ExecExit): void {
    if (this.exit) return
    this.exit = exit
    this.endedAt = new Date().toISOString()
    this.emit('exit')
  }
}
