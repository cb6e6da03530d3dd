import assert from 'node:assert/strict'
import type { PatientClient } from './patient-client.ts'
import type { Random } from './random.ts'
import { homeSession, type WorkParts } from './sandbox-work.ts'
import type { TestNode } from './test-node.ts'

/** What an account does at both servers. */
export class AccountWork {
  readonly #client: PatientClient
  readonly #home: TestNode
  readonly #other: TestNode
  readonly #random: Random
  #requests = 0
  readonly #memory = new Map<string, string>()
  /** Names that both servers were asked for at once, and the node that got the sandbox. */
  readonly #contested = new Map<string, TestNode>()

  constructor({ client, home, other, random }: WorkParts) {
    this.#client = client
    this.#home = home
    this.#other = other
    this.#random = random
  }

  async begin(): Promise<void> {
    const body = { command: 'sleep 1000', processId: 'sleep', timeout: 0, sessionId: awaySession }
    await this.#client.done(this.#other, '/process/start', body, { key: this.#key() })
  }

  readonly rows = [
    [() => this.#writeMemory(), () => this.#useKey(), () => this.#settle()],
    [() => this.#askElsewhere(), () => this.#contest()],
  ]

  /** What one server has written, the other one reads. */
  async #writeMemory(): Promise<void> {
    const [path, content] = [`memory-${this.#random.between(0, 9)}`, `content ${this.#requests++}`]
    const [writer, reader] = this.#inAnyOrder()
    await this.#client.done(writer, '/memory/write', { path, content })
    this.#memory.set(path, content)
    for (const [known, expected] of this.#memory)
      assert.equal((await this.#client.done(reader, '/memory/read', { path: known })).content, expected)
  }

  /** A key of one server is one of the other, and so is its end. */
  async #useKey(): Promise<void> {
    const [one, other] = this.#inAnyOrder()
    const key = await this.#client.createKey(one)
    const balance = (node: TestNode) => this.#client.get(node, '/balance', { token: key.token })
    assert.equal((await balance(other)).status, 200)
    await this.#client.revokeKey(one, key)
    for (const node of [one, other]) assert.equal((await balance(node)).status, 401)
  }

  /** Charges what was used at home until now. */
  async #settle(): Promise<void> {
    const { status, body } = await this.#client.get(this.#home, '/v1/usage')
    assert.equal(status, 200, JSON.stringify(body))
  }

  /** The other server names the server that has the sandbox, and makes none. */
  async #askElsewhere(): Promise<void> {
    const bodies = {
      '/execute': { code: 'echo second >> log', language: 'shell' },
      '/process/list': {},
      '/files/read': { path: 'page' },
    }
    for (const [path, body] of Object.entries(bodies))
      await this.#assertElsewhere(this.#other, { at: this.#home, sessionId: homeSession }, path, body)
    await this.#assertElsewhere(this.#home, { at: this.#other, sessionId: awaySession })
  }

  /** Asks both servers for a sandbox of a new name at the same time: one of them makes it. */
  async #contest(): Promise<void> {
    if (this.#contested.size >= maxContested) return
    const sessionId = `contested-${this.#contested.size}`
    const nodes = [this.#home, this.#other]
    const body = { code: 'echo made', language: 'shell', sessionId }
    const asked = nodes.map((node) => this.#client.post(node, '/execute', body, { key: this.#key() }))
    const answers = await Promise.all(asked)
    const bodies = JSON.stringify(answers.map((answer) => answer.body))
    const winner = answers.findIndex(({ status }) => status === 200)
    assert.equal(answers[winner]?.body.result.stdout, 'made\n', bodies)
    assert.deepEqual(
      [answers[1 - winner]!.status, answers[1 - winner]!.body.address],
      [421, nodes[winner]!.address],
      bodies,
    )
    this.#contested.set(sessionId, nodes[winner]!)
  }

  async end(): Promise<void> {
    await this.#checkMemory()
    await this.#checkUsage()
    for (const [sessionId, at] of this.#contested)
      await this.#assertElsewhere(at === this.#home ? this.#other : this.#home, { at, sessionId })
    const sleep = { processId: 'sleep', sessionId: awaySession }
    const { process } = await this.#client.done(this.#other, '/process/kill', sleep)
    assert.deepEqual([process.status, process.signal], ['killed', 'SIGTERM'])
  }

  async #checkMemory(): Promise<void> {
    for (const node of [this.#home, this.#other]) {
      const { files } = await this.#client.done(node, '/memory/list', {})
      const paths = files.map(({ path }: { path: string }) => path)
      assert.deepEqual(paths.toSorted(), [...this.#memory.keys()].toSorted())
    }
  }

  /** Each server charges what is used on its own node, and each reports all of it. */
  async #checkUsage(): Promise<void> {
    for (const node of [this.#home, this.#other]) await this.#client.get(node, '/v1/usage')
    for (const node of [this.#home, this.#other]) {
      const { body } = await this.#client.get(node, '/v1/usage')
      const names = new Set(body.byComputer.map(({ name }: { name: string }) => name))
      for (const name of [homeSession, awaySession]) assert.ok(names.has(name), JSON.stringify(body.byComputer))
    }
  }

  async #assertElsewhere(
    node: TestNode,
    { at, sessionId }: { at: TestNode; sessionId: string },
    path = '/process/list',
    fields = {},
  ): Promise<void> {
    const { status, body } = await this.#client.post(node, path, { ...fields, sessionId })
    assert.deepEqual([status, body.code, body.address], [421, 'OTHER_NODE', at.address], JSON.stringify(body))
  }

  #inAnyOrder(): [TestNode, TestNode] {
    return this.#random.chance(0.5) ? [this.#home, this.#other] : [this.#other, this.#home]
  }

  #key(): string {
    return `account-${this.#requests++}`
  }
}

const awaySession = 'away'
const maxContested = 4
