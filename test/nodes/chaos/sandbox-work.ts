import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { Counter } from './counter.ts'
import type { PatientClient } from './patient-client.ts'
import type { Random } from './random.ts'
import type { TestNode } from './test-node.ts'

export interface WorkParts {
  client: PatientClient
  /** The node of the account's main sandbox. */
  home: TestNode
  other: TestNode
  random: Random
}

/** The name of the sandbox at home. */
export const homeSession = 'home'

/** A process that ends by itself. */
interface Started {
  name: string
  exitCode: number
}

/** What an account does in its sandbox at home. */
export class SandboxWork {
  readonly #client: PatientClient
  readonly #home: TestNode
  readonly #other: TestNode
  readonly #random: Random
  readonly #counter: Counter
  #requests = 0
  /** What `log` holds, a line for each request. */
  readonly #logged: number[] = []
  readonly #started: Started[] = []
  readonly #files = new Map<string, string>()
  #calls = 0
  #previewUrl = ''

  constructor({ client, home, other, random }: WorkParts) {
    this.#client = client
    this.#home = home
    this.#other = other
    this.#random = random
    this.#counter = new Counter(client, home, homeSession)
  }

  async begin(): Promise<void> {
    await this.#counter.start()
    await this.#do('/files/write', { path: 'page', content: page })
    await this.#once('/process/start', { command: 'exec python3 -m http.server 8080', processId: 'web', timeout: 0 })
    this.#previewUrl = (await this.#once('/expose', { port: 8080 })).url
  }

  readonly rows = [
    [() => this.#log()],
    [() => this.#counter.read(), () => this.#startShort(), () => this.#checkShort(), () => this.#visit()],
    [() => this.#writeFile(), () => this.#evaluate()],
  ]

  /** Appends a line by a request that must be carried out once, however often it is sent. */
  async #log(): Promise<void> {
    const line = this.#requests
    const code = `echo ${line} >> log; sleep ${this.#random.between(0, 4) / 10}; echo ${line}`
    const { result } = await this.#once('/execute', { code, language: 'shell' })
    assert.deepEqual([result.reason, result.exitCode, result.stdout], ['exited', 0, `${line}\n`])
    this.#logged.push(line)
  }

  async #startShort(): Promise<void> {
    const [name, exitCode] = [`short-${this.#requests}`, this.#random.between(0, 99)]
    const command = `sleep ${this.#random.between(0, 20) / 10}; echo end of ${name}; exit ${exitCode}`
    const { status } = await this.#once('/process/start', { command, processId: name })
    assert.equal(status, 'running')
    this.#started.push({ name, exitCode })
  }

  async #checkShort(): Promise<void> {
    const [started] = this.#started
    if (started && (await this.#hasEnded(started))) this.#started.shift()
  }

  async #hasEnded({ name, exitCode }: Started): Promise<boolean> {
    const { process, logs } = await this.#do('/process/get', { processId: name })
    if (process.status === 'running') return false
    assert.deepEqual([process.reason, process.exitCode, logs.stdout], ['exited', exitCode, `end of ${name}\n`])
    return true
  }

  async #visit(): Promise<void> {
    const here = await this.#client.preview(this.#home, this.#previewUrl, '/page')
    assert.deepEqual(here, { status: 200, body: page })
    assert.equal((await this.#client.preview(this.#other, this.#previewUrl, '/page')).status, 421)
  }

  async #writeFile(): Promise<void> {
    const [path, content] = [`file-${this.#random.between(0, 9)}`, `content ${this.#requests++}`]
    await this.#do('/files/write', { path, content })
    this.#files.set(path, content)
    for (const [known, expected] of this.#files)
      assert.equal((await this.#do('/files/read', { path: known })).content, expected)
  }

  /** The variables of a kernel outlive its server. A call whose client is cut off may count or not. */
  async #evaluate(): Promise<void> {
    const { repeated } = this.#client
    const code = 'globalThis.calls = (globalThis.calls ?? 0) + 1'
    const answer = await this.#do('/interpret', { code, language: 'javascript' })
    const calls = Number(answer.results[0]?.text)
    const max = this.#calls + 1 + this.#client.repeated - repeated
    assert.ok(calls > this.#calls && calls <= max, `${JSON.stringify(answer)} after ${this.#calls} calls`)
    this.#calls = calls
  }

  async end(): Promise<void> {
    for (const started of this.#started) while (!(await this.#hasEnded(started))) await delay(pollMs)
    await this.#counter.end()
    await this.#do('/process/kill', { processId: 'web' })
    const { stdout } = (await this.#once('/execute', { code: 'cat log; ls; ps -eo args=', language: 'shell' })).result
    const files = [...this.#files.keys(), 'log', 'page'].toSorted()
    const expected = [...this.#logged, ...files].map((line) => `${line}\n`).join('')
    assert.ok(stdout.startsWith(expected), `${stdout}\nis not\n${expected}`)
    assert.doesNotMatch(stdout.slice(expected.length), /sleep|http\.server/, 'something runs that was ended')
  }

  /** Sends a request that must be carried out once. */
  #once(path: string, body: Record<string, unknown>) {
    const key = `${homeSession}-${this.#requests++}`
    return this.#client.done(this.#home, path, { ...body, sessionId: homeSession }, { key })
  }

  /** Sends a request that does the same when it is carried out again. */
  #do(path: string, body: Record<string, unknown>) {
    return this.#client.done(this.#home, path, { ...body, sessionId: homeSession })
  }
}

const page = 'the page of the preview'
const pollMs = 50
