import assert from 'node:assert/strict'
import { until } from './server.ts'
import type { TestClient } from './test-client.ts'

/** Requests of Agent Computer's API, as a workspace makes them. */
export class AgentComputers {
  readonly #server: Pick<TestClient, 'call'>
  readonly #token: string | undefined

  /** @param token of the workspace; the owner's when left out */
  constructor(server: Pick<TestClient, 'call'>, token?: string) {
    this.#server = server
    this.#token = token
  }

  call(method: string, path: string, body?: unknown, options: object = {}) {
    const token = this.#token === undefined ? {} : { token: this.#token }
    return this.#server.call(method, `/v1${path}`, body, { ...token, ...options })
  }

  /** Sends a request that begins an operation, and returns the operation when it has ended. */
  async ended(method: string, path: string, body?: unknown, options?: object) {
    const answer = await this.call(method, path, body, options)
    assert.equal(answer.status, 202, JSON.stringify(answer.body))
    return { ...answer, operation: await this.settled(answer.body.operation.id) }
  }

  /** As `ended`, for what has to succeed. */
  async done(method: string, path: string, body?: unknown, options?: object) {
    const answer = await this.ended(method, path, body, options)
    assert.equal(answer.operation.status, 'succeeded', JSON.stringify(answer.operation))
    return answer
  }

  /** Returns an operation when it has ended. */
  async settled(id: string) {
    const { body } = await until(
      () => this.call('GET', `/operations/${id}`),
      ({ body }) => body.operation?.status !== 'running',
    )
    return body.operation
  }

  async create(body: Record<string, unknown> = {}) {
    return this.read((await this.done('POST', '/computers', body)).body.computer.id)
  }

  async read(idOrHandle: string) {
    return (await this.call('GET', `/computers/${idOrHandle}`)).body.computer
  }

  /** Runs a command of Bash, and returns what it printed. */
  async shell(idOrHandle: string, code: string): Promise<string> {
    const { status, body } = await this.call('POST', `/computers/${idOrHandle}/exec`, { command: ['bash', '-c', code] })
    assert.deepEqual([status, body.exit_code], [200, 0], JSON.stringify(body))
    return body.stdout
  }

  async snapshot(idOrHandle: string) {
    const { body } = await this.done('POST', `/computers/${idOrHandle}/snapshots`)
    return (await this.call('GET', `/snapshots/${body.snapshot.id}`)).body.snapshot
  }
}
