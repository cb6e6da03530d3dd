import assert from 'node:assert/strict'
import type { PatientClient } from './patient-client.ts'
import type { TestNode } from './test-node.ts'

const command = 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.05; done'

/** A process that counts for ever, and a reader of its output that must miss no number and get none twice. */
export class Counter {
  readonly #client: PatientClient
  readonly #node: TestNode
  readonly #sessionId: string
  #process = { id: '', pid: 0 }
  #cursor = 0
  /** The last number that was read, and the characters of the next one that were read with it. */
  #last = 0
  #rest = ''

  constructor(client: PatientClient, node: TestNode, sessionId: string) {
    this.#client = client
    this.#node = node
    this.#sessionId = sessionId
  }

  async start(): Promise<void> {
    const body = { command, processId: 'counter', sessionId: this.#sessionId, timeout: 0 }
    const { id, pid } = await this.#client.done(this.#node, '/process/start', body, { key: 'counter' })
    this.#process = { id, pid }
  }

  /** Reads on. Returns the status of the process. */
  async read(): Promise<string> {
    const body = { processId: 'counter', sessionId: this.#sessionId, cursor: this.#cursor }
    const { process, logs } = await this.#client.done(this.#node, '/process/get', body)
    assert.deepEqual([process.id, process.pid], [this.#process.id, this.#process.pid], 'it is another process')
    assert.deepEqual([logs.truncated, logs.stderr], [false, ''])
    const lines = (this.#rest + logs.stdout).split('\n')
    this.#rest = lines.pop()!
    for (const line of lines) assert.equal(Number(line), ++this.#last, 'a number is missing, or is there twice')
    this.#cursor = logs.cursor
    return process.status as string
  }

  /** Ends the process, which must have run until now, and reads its output to the end. */
  async end(): Promise<void> {
    const before = this.#last
    assert.equal(await this.read(), 'running')
    assert.ok(this.#last > before, 'it counts no more')
    const body = { processId: 'counter', sessionId: this.#sessionId }
    const { process } = await this.#client.done(this.#node, '/process/kill', body)
    assert.deepEqual([process.status, process.signal], ['killed', 'SIGTERM'])
    assert.equal(await this.read(), 'killed')
  }
}
