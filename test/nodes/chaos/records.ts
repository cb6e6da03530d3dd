import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Kysely } from 'kysely'
import { transaction } from '../../../src/db/transaction.ts'
import type { Database } from '../../../src/db/schema.ts'
import { verifyBooks } from '../../../src/engine/money/ledger/verify-books.ts'
import { readNodeFile } from '../../../src/start/node-file.ts'
import type { TestNode } from './test-node.ts'

interface Home {
  nodeId: string
  fence: number
}

/** What the database and the hosts say of computers, which must stay true whatever happens to the servers. */
export class Records {
  readonly #db: Kysely<Database>
  readonly #nodes: TestNode[]
  readonly #accountIds: string[]
  readonly #homes = new Map<string, Home>()

  constructor(db: Kysely<Database>, { nodes, accountIds }: { nodes: TestNode[]; accountIds: string[] }) {
    this.#db = db
    this.#nodes = nodes
    this.#accountIds = accountIds
  }

  /** @param areBusy whether processes keep the sandboxes at home and away from being stopped */
  async check({ areBusy = true } = {}): Promise<void> {
    await this.#checkHomes(areBusy)
    await this.#checkNothingIsLost()
  }

  /** No computer disappears or gets another home, and what runs exists on the host of its node. */
  async #checkHomes(areBusy: boolean): Promise<void> {
    const rows = await this.#db
      .selectFrom('computers')
      .select(['id', 'account_id', 'name', 'node_id', 'fence', 'state', 'state_reason'])
      .where('account_id', 'in', this.#accountIds)
      .execute()
    for (const { id, node_id: nodeId, fence, ...row } of rows) {
      const known = this.#homes.get(id)
      if (known) assert.deepEqual({ nodeId, fence }, known)
      else this.#homes.set(id, { nodeId, fence })
      if (!areBusy || row.name!.startsWith('contested')) continue
      assert.deepEqual([row.state, row.state_reason], ['running', null])
      const { paths } = this.#nodeOf(nodeId)
      assert.ok(existsSync(join(paths.data, 'pool/computers', id)), `the volume of ${id} is gone`)
      assert.ok(existsSync(join(paths.runtime, 'runtime', id)), `the container of ${id} is gone`)
    }
    const ids = new Set(rows.map(({ id }) => id))
    for (const id of this.#homes.keys()) assert.ok(ids.has(id), `the computer ${id} is gone`)
  }

  async #checkNothingIsLost(): Promise<void> {
    const events = await this.#db
      .selectFrom('events')
      .selectAll()
      .where((eb) => eb.or([eb('type', '=', 'computer.failed'), eb('data', 'like', '%"lost"%')]))
      .execute()
    assert.deepEqual(events, [])
    const processes = await this.#db.selectFrom('processes').selectAll().where('reason', '=', 'lost').execute()
    assert.deepEqual(processes, [])
  }

  /** Verifies the ledger, and that no usage is charged twice. */
  async checkBooks(): Promise<void> {
    const { problems, intervals } = await transaction(this.#db, 'read', (trx) => verifyBooks(trx, 0))
    assert.deepEqual(problems, [])
    assert.ok(intervals > 0)
  }

  #nodeOf(nodeId: string): TestNode {
    const node = this.#nodes.find(({ paths }) => readNodeFile(paths.data)?.nodeId === nodeId)
    assert.ok(node, `no data directory is node ${nodeId}`)
    return node
  }
}
