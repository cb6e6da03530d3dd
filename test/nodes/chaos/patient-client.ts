import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { Answer, TestServer } from '../../support/server.ts'
import type { TestNode } from './test-node.ts'

type Body = Record<string, unknown>

interface Key {
  id: string
  token: string
}

interface Options {
  /** An Idempotency-Key. */
  key?: string
  token?: string
}

/** A client of one account that sends a request again until a server answers it for good. */
export class PatientClient {
  readonly #token: string
  /** How many requests were cut off, or refused for the moment. */
  repeated = 0
  /** How many were answered with what an earlier attempt had done. */
  replayed = 0

  constructor(token: string) {
    this.#token = token
  }

  get(node: TestNode, path: string, { token = this.#token }: Options = {}): Promise<Answer> {
    return this.#repeat(node, (server) => server.call('GET', path, undefined, { token }))
  }

  post(node: TestNode, path: string, body: Body, { key, token = this.#token }: Options = {}): Promise<Answer> {
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key }
    return this.#repeat(node, (server) => server.call('POST', path, body, { token, headers }))
  }

  /** Returns the body of an answer that has to be 200. */
  async done(node: TestNode, path: string, body: Body, options: Options = {}): Promise<Answer['body']> {
    const answer = await this.post(node, path, body, options)
    if (answer.status === 200) return answer.body
    throw new Error(`${path} ${JSON.stringify(body)} at ${node.name}: ${answer.status} ${JSON.stringify(answer.body)}`)
  }

  /** Makes an API key at a node. One whose answer is cut off is left over. */
  async createKey(node: TestNode): Promise<Key> {
    const body = await this.done(node, '/users/me/api-keys', { name: 'short-lived' })
    return { id: body.key_id as string, token: body.api_key as string }
  }

  async revokeKey(node: TestNode, { id }: Key): Promise<void> {
    const [path, body] = ['/users/me/api-keys', { key_id: id }]
    const { status } = await this.#repeat(node, (server) => server.call('DELETE', path, body, { token: this.#token }))
    // A request whose answer was cut off can have ended the key.
    assert.ok([200, 404].includes(status), String(status))
  }

  async preview(node: TestNode, url: string, path: string): Promise<{ status: number; body: string }> {
    const answer = await this.#repeat(node, async (server) => {
      const { status, body } = await server.preview(url, path)
      return { status, headers: new Headers(), body: body.toString() }
    })
    return { status: answer.status, body: String(answer.body) }
  }

  async #repeat(node: TestNode, ask: (server: TestServer) => Promise<Answer>): Promise<Answer> {
    let last: unknown
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const server = await node.server()
      try {
        const answer = await ask(server)
        if (answer.headers.get('idempotency-replayed')) this.replayed++
        if (!isTemporary(answer)) return answer
        last = answer.body
      } catch (error) {
        if (!isCutOff(error)) throw error
        last = error
      }
      this.repeated++
      await delay(pauseMs)
    }
    throw new Error(`a request to ${node.name} is never answered`, { cause: last })
  }
}

/** Whether the connection was refused or lost, as when a server is killed. */
function isCutOff(error: unknown): boolean {
  return (
    error instanceof TypeError || ['ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes((error as { code: string }).code)
  )
}

function isTemporary({ status, body }: Answer): boolean {
  return status >= 502 || (status === 409 && body.code === 'IDEMPOTENCY_IN_PROGRESS')
}

const pauseMs = 50
const maxAttempts = 400
