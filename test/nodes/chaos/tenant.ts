import { setTimeout as delay } from 'node:timers/promises'
import { AccountWork } from './account-work.ts'
import { PatientClient } from './patient-client.ts'
import type { Random } from './random.ts'
import { SandboxWork } from './sandbox-work.ts'
import type { TestNode } from './test-node.ts'

interface Parts {
  accountId: string
  token: string
  home: TestNode
  other: TestNode
  random: Random
}

/** An account with a sandbox at one node and another sandbox at the other, which checks everything that it is answered. */
export class Tenant {
  readonly accountId: string
  readonly client: PatientClient
  /** How many things it has done. */
  done = 0
  readonly #account: AccountWork
  readonly #sandbox: SandboxWork
  readonly #random: Random

  constructor({ accountId, token, home, other, random }: Parts) {
    this.accountId = accountId
    this.client = new PatientClient(token)
    this.#random = random
    const parts = { client: this.client, home, other, random }
    this.#account = new AccountWork(parts)
    this.#sandbox = new SandboxWork(parts)
  }

  /** Starts what runs all the time. */
  async begin(): Promise<void> {
    await this.#sandbox.begin()
    await this.#account.begin()
  }

  /** Does several rows of things at once, and in each row one after the other, in an order of chance. */
  async work(isOver: () => boolean): Promise<void> {
    const row = async (jobs: (() => Promise<unknown>)[]) => {
      for (; !isOver(); this.done++) {
        await this.#random.pick(jobs)()
        await delay(this.#random.between(0, 100))
      }
    }
    await Promise.all([...this.#sandbox.rows, ...this.#account.rows].map(row))
  }

  /** Checks everything once more, ends what runs, and checks that nothing else does. */
  async end(): Promise<void> {
    await this.#account.end()
    await this.#sandbox.end()
  }
}
