import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { openDatabase } from '../../../src/db/open.ts'
import { createAccount } from '../../../src/engine/identity/accounts/owner.ts'
import { createToken } from '../../../src/engine/identity/accounts/tokens.ts'
import { connectSocket } from '../../paperpod/socket-client.ts'
import { serverDatabase } from '../../support/server-database.ts'
import { killAtRandom } from '../chaos/kill-at-random.ts'
import { Random } from '../chaos/random.ts'
import { Records } from '../chaos/records.ts'
import { Tenant } from '../chaos/tenant.ts'
import { TestNode } from '../chaos/test-node.ts'

/** The same seed gives the same kills in the same order; what they meet is up to the host. */
const seed = Number(process.env.CARREL_TEST_SEED ?? randomBytes(4).readUInt32BE())
const killMs = Number(process.env.CARREL_TEST_KILL_MS ?? 15_000)
const tenantsPerNode = 2

const env = {
  CARREL_SECRET_KEY: randomBytes(32).toString('base64'),
  // Whatever a server does by itself it does all the time, and a sandbox that it takes for its own is idle at once.
  CARREL_SWEEP_INTERVAL_MS: '250',
  CARREL_IDLE_TIMEOUT_S: '1',
  CARREL_WARM_COMPUTERS: '1',
}

test(
  'two servers of one database, killed at random under load, lose nothing of their own nor of each other',
  { timeout: 240_000 },
  async (t) => {
    t.diagnostic(`seed ${seed}`)
    const random = new Random(seed)
    const [one, two] = await Promise.all([
      TestNode.create({ name: 'one', place: 1, env }),
      TestNode.create({ name: 'two', place: 3, env }),
    ])
    const nodes = [one, two]
    t.after(() => Promise.all(nodes.map((node) => node.remove())))
    await Promise.all(nodes.map((node) => node.start()))
    const db = await openDatabase(await serverDatabase())
    t.after(() => db.destroy())

    const newTenant = async (home: TestNode, other: TestNode) => {
      const accountId = await createAccount(db, 'tenant')
      const token = await createToken(db, accountId, 'test')
      return new Tenant({ accountId, token, home, other, random: random.fork() })
    }
    const tenants: Tenant[] = []
    for (let index = 0; index < tenantsPerNode; index++)
      tenants.push(await newTenant(one, two), await newTenant(two, one))
    const records = new Records(db, { nodes, accountIds: tenants.map(({ accountId }) => accountId) })
    await Promise.all(tenants.map((tenant) => tenant.begin()))

    let isOver = false
    const kill = (victims: TestNode[][], until: () => boolean) =>
      killAtRandom({ random, victims, isOver: until, onRound })
    const onRound = async (what: string) => {
      t.diagnostic(what)
      await records.check()
    }
    const killAll = async () => {
      const endsAt = performance.now() + killMs
      await kill([[one], [two], [one, two]], () => performance.now() > endsAt)
      // A connection to one server ends with its token, whoever ends that, while other servers come and go.
      const revoked = await revokedConnection(tenants[0]!, { at: one, connectedTo: two })
      await kill([[one]], () => revoked.reason !== undefined)
      assert.equal(revoked.reason, 'the token is no longer valid')
      isOver = true
    }
    await Promise.all([killAll(), ...tenants.map((tenant) => tenant.work(() => isOver))])
    await records.check()
    await Promise.all(tenants.map((tenant) => tenant.end()))
    await records.check({ areBusy: false })
    for (const node of nodes) await node.stop('SIGTERM')
    await records.checkBooks()
    for (const node of nodes) assert.deepEqual(node.errors(), [])
    const sum = (count: (tenant: Tenant) => number) => tenants.reduce((total, tenant) => total + count(tenant), 0)
    t.diagnostic(
      `${sum(({ done }) => done)} things were done; ${sum(({ client }) => client.repeated)} requests were repeated, and ${sum(({ client }) => client.replayed)} of them answered with what had been done`,
    )
  },
)

/** Connects to one server, and ends the token at the other. The reason is set when the connection has ended. */
async function revokedConnection(
  { client }: Tenant,
  { at, connectedTo }: { at: TestNode; connectedTo: TestNode },
): Promise<{ reason?: string }> {
  const revoked: { reason?: string } = {}
  const key = await client.createKey(at)
  const socket = connectSocket(await connectedTo.server(), { token: key.token })
  socket.on('close', (_, reason) => {
    revoked.reason = reason.toString()
  })
  await once(socket, 'open')
  await client.revokeKey(at, key)
  return revoked
}
