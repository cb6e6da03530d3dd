import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { ComputerRow } from '../../src/db/schema.ts'
import { openComputer } from '../../src/engine/computers/access/open-computer.ts'
import { destroyComputer } from '../../src/engine/computers/lifecycle/destroy.ts'
import { stopComputer } from '../../src/engine/computers/lifecycle/stop.ts'
import { transition } from '../../src/engine/computers/lifecycle/transition.ts'
import { exposePort } from '../../src/engine/computers/ports/expose-port.ts'
import { settleRunning } from '../../src/engine/money/usage/settle-usage.ts'
import { claimNode } from '../../src/engine/nodes/claim-node.ts'
import { nodeFacts } from '../../src/engine/nodes/node-facts.ts'
import { findNode } from '../../src/start/find-node.ts'
import { newSession } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

describe('a server that has lost a computer, or its node, to another one', { timeout: 60_000 }, () => {
  let app: TestApp
  let row: ComputerRow
  beforeEach(async () => {
    app = await TestApp.start()
    const sessionId = newSession()
    await app.shell('true', { sessionId })
    await app.engine.recorder.flush()
    await settleRunning(app.engine)
    row = await app.db.selectFrom('computers').selectAll().where('name', '=', sessionId).executeTakeFirstOrThrow()
  })
  afterEach(() => app.stop())

  const contents = async () => ({
    computers: await app.db.selectFrom('computers').selectAll().execute(),
    ports: await app.db.selectFrom('ports').selectAll().execute(),
    usage: await app.db.selectFrom('usage_intervals').selectAll().execute(),
    events: await app.db.selectFrom('events').selectAll().where('computer_id', '=', row.id).execute(),
  })
  const stop = { from: ['running'], to: 'stopped', actor: 'server' } as const
  /** Opens the computer as a request does that has begun before. */
  const opened = () => {
    const caller = { accountId: app.engine.server.ownerId, tokenId: 'server', isServer: true as const }
    return openComputer(app.engine, caller, { id: row.id }, 'run')
  }

  test('changes nothing of a computer that has another home by now', async () => {
    using computer = await opened()
    await claimNode(app.db, 'elsewhere', nodeFacts(app.engine.settings))
    await app.db.updateTable('computers').set({ node_id: 'elsewhere', fence: 1 }).where('id', '=', row.id).execute()
    const before = await contents()
    const refused = { code: 'other_node', details: { nodeId: 'elsewhere', address: app.url } }
    await assert.rejects(transition(app.engine, row, stop), refused)
    await assert.rejects(stopComputer(app.engine, row, 'server'), refused)
    await assert.rejects(destroyComputer(app.engine, row.id, 'server'), refused)
    await assert.rejects(exposePort(app.engine, computer, 8080), refused)
    assert.deepEqual(await contents(), before)
    assert.equal((await app.driver.get(row.id))?.running, true)
  })

  test('changes nothing by a row from before the computer was elsewhere and came back', async () => {
    using computer = await opened()
    await app.db.updateTable('computers').set({ fence: 2 }).where('id', '=', row.id).execute()
    const before = await contents()
    await assert.rejects(transition(app.engine, row, stop), { code: 'conflict', message: /moved meanwhile$/ })
    await assert.rejects(exposePort(app.engine, computer, 8080), { code: 'conflict' })
    assert.deepEqual(await contents(), before)
    await transition(app.engine, { ...row, fence: 2 }, stop)
  })

  test('ends, and changes and charges nothing before, once a copy of its data directory is served', async (t) => {
    const copy = mkdtempSync(join(tmpdir(), 'carrel-copy-'))
    t.after(() => rmSync(copy, { recursive: true }))
    cpSync(join(app.engine.settings.dataDirectory, 'node.json'), join(copy, 'node.json'))
    using computer = await opened()
    await app.post('/process/start', { command: 'sleep 1000', sessionId: row.name })
    const nodeId = await findNode(app.db, copy)
    assert.equal(nodeId, app.engine.node.id)
    const { epoch } = await claimNode(app.db, nodeId, nodeFacts(app.engine.settings))
    assert.equal(epoch, app.engine.node.epoch + 1)
    const before = await contents()
    const refused = { code: 'unavailable', message: /another server has taken over this server's data directory$/ }
    await assert.rejects(transition(app.engine, row, stop), refused)
    await assert.rejects(destroyComputer(app.engine, row.id, 'server'), refused)
    await assert.rejects(exposePort(app.engine, computer, 8080), refused)
    await assert.rejects(settleRunning(app.engine), refused)
    assert.equal((await app.post('/execute', { code: '1', language: 'shell', sessionId: newSession() })).status, 503)
    assert.deepEqual(await contents(), before)
    await app.engine.nodeLease.renew()
    assert.match((await app.lost).message, /^Cannot continue: a second server has taken over node /)
    await app.stop('SIGKILL')
  })
})
