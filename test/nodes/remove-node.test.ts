import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { after, before, describe, test } from 'node:test'
import { listNodes } from '../../src/engine/nodes/list-nodes.ts'
import { authenticateToken } from '../../src/engine/identity/accounts/tokens.ts'
import { removeNode } from '../../src/engine/nodes/remove-node.ts'
import { newSession } from '../support/server.ts'
import { serverPlace } from '../support/server-database.ts'
import { TestApp } from '../support/test-app.ts'

const program = fileURLToPath(new URL('../../src/nodes/main.ts', import.meta.url))

/** Runs the program behind `carrel nodes` beside the servers. */
async function nodes(...args: string[]) {
  const env = { ...process.env, ...(await serverPlace()) }
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { env, encoding: 'utf8' })
  return { status, stdout, stderr }
}

describe('a node whose host is gone for good', { timeout: 60_000 }, () => {
  let first: TestApp
  let lost: TestApp
  const sessionId = newSession()
  const withKey = (key: string) => ({ headers: { 'idempotency-key': key } })
  const command = { code: 'echo once', language: 'shell' }
  before(async () => {
    first = await TestApp.start()
    lost = await TestApp.start({ node: 'second' })
    await lost.shell('true', { sessionId })
    await lost.done('/expose', { sessionId, port: 8080 })
    for (const key of ['answered', 'process', 'open'])
      assert.equal((await lost.post('/execute', { ...command, sessionId: key }, withKey(key))).status, 200)
    await lost.engine.recorder.flush()
    await lost.stop('SIGKILL')
    const { db } = first
    for (const state of ['process', 'in_progress'] as const)
      await db
        .updateTable('idempotency')
        .set({ state, status: null, body: null })
        .where('key', '=', state === 'process' ? 'process' : 'open')
        .execute()
  })
  after(() => first.stop())

  test('is listed, and is not removed while it counts as served', async () => {
    const listed = JSON.parse((await nodes('--json', 'list')).stdout).nodes as { nodeId: string; computers: number }[]
    assert.deepEqual(
      listed.map(({ nodeId, computers }) => [nodeId, computers]),
      [
        [first.engine.node.id, 0],
        [lost.engine.node.id, 4],
      ],
    )
    const { status, stderr } = await nodes('remove', lost.engine.node.id)
    assert.equal(status, 1)
    assert.match(
      stderr,
      /^Cannot remove node "\w+": its server runs, or did so until a moment ago; stop it and wait 15 seconds$/m,
    )
  })

  test('its computers are lost once it is removed, and their names are free; its token of the owner ends', async () => {
    const { db } = first
    await db.updateTable('nodes').set({ lease_until: 1000 }).where('id', '=', lost.engine.node.id).execute()
    assert.match((await nodes('list')).stdout, /not served since 1970-01-01T00:00:01.000Z; 4 computers/)
    assert.equal((await first.post('/execute', { ...command, sessionId })).status, 421)
    const removed = await nodes('--json', 'remove', lost.engine.node.id)
    assert.deepEqual(removed, {
      status: 0,
      stdout: `{"nodeId":"${lost.engine.node.id}","lostComputers":4}\n`,
      stderr: '',
    })
    await assert.rejects(authenticateToken(db, lost.token), { code: 'unauthenticated' })
    await authenticateToken(db, first.token)
    assert.deepEqual(
      (await listNodes(db)).map(({ id }) => id),
      [first.engine.node.id],
    )
    for (const table of ['computers', 'processes', 'ports'] as const)
      assert.deepEqual(await db.selectFrom(table).selectAll().execute(), [], table)
    const events = await db.selectFrom('events').select('data').where('type', '=', 'computer.deleted').execute()
    assert.equal(events.filter(({ data }) => JSON.parse(data).reason === 'lost').length, 4)
    assert.equal((await first.shell('echo new', { sessionId })).stdout, 'new\n')
  })

  test('a repeated request gets its answer, is refused where its process has it, and is new where it was cut off', async () => {
    const repeat = (key: string) => first.post('/execute', { ...command, sessionId: key }, withKey(key))
    const [answered, process, open] = [await repeat('answered'), await repeat('process'), await repeat('open')]
    assert.deepEqual([answered.status, answered.headers.get('idempotency-replayed')], [200, 'true'])
    assert.deepEqual([process.status, process.body.code], [409, 'CONFLICT'])
    assert.deepEqual([open.status, open.headers.get('idempotency-replayed')], [200, null])
  })

  test('an unknown node and the only one are refused', async () => {
    await assert.rejects(removeNode(first.db, 'none'), { code: 'not_found' })
    await assert.rejects(removeNode(first.db, first.engine.node.id), { code: 'conflict', message: /the only one$/ })
    const { status, stdout } = await nodes('remove', 'none')
    assert.deepEqual([status, stdout], [1, ''])
  })
})
