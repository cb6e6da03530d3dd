import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { claimKey, type Claim } from '../../src/engine/idempotency/keys.ts'
import { newSession } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

describe('a request for a computer of another server', { timeout: 60_000 }, () => {
  let home: TestApp
  let other: TestApp
  const sessionId = newSession()
  const run = { code: 'echo ran >> log; cat log', language: 'shell', sessionId }
  before(async () => {
    home = await TestApp.start()
    other = await TestApp.start({ node: 'second' })
    await home.done('/process/start', { command: 'sleep 1000', processId: 'web', sessionId })
  })
  after(async () => {
    await other.stop()
    await home.stop()
  })

  const assertRefused = ({ status, body }: { status: number; body: Record<string, unknown> }) => {
    assert.deepEqual(
      [status, body['code'], body['action'], body['retryable'], body['nodeId'], body['address']],
      [421, 'OTHER_NODE', 'USE_ANOTHER_SERVER', false, home.engine.node.id, home.url],
    )
    assert.match(
      String(body['error']),
      new RegExp(`^Cannot use computer "\\w+": it is on another server, ${home.url}$`),
    )
  }

  for (const [path, body] of Object.entries({
    '/execute': run,
    '/interpret': { code: '1', language: 'python', sessionId },
    '/process/start': { command: 'true', sessionId },
    '/process/list': { sessionId },
    '/process/get': { processId: 'web', sessionId },
    '/process/kill': { processId: 'web', sessionId },
    '/files/read': { path: 'log', sessionId },
    '/files/write': { path: 'log', content: '', sessionId },
    '/expose': { port: 8080, sessionId },
  }))
    test(`POST ${path} names that server`, async () => assertRefused(await other.post(path, body)))

  test('names no server to an account that does not own the computer: its name is free there', async () => {
    const token = await other.newAccount()
    const answer = await other.post('/execute', run, { token })
    assert.deepEqual([answer.status, answer.body.result.stdout], [200, 'ran\n'])
  })

  test('is answered at the server that has it, also under the key that was refused elsewhere', async () => {
    const options = { headers: { 'idempotency-key': newSession() } }
    assertRefused(await other.post('/execute', run, options))
    const { status, body } = await home.post('/execute', run, options)
    assert.deepEqual([status, body.result.stdout], [200, 'ran\n'])
    // The answer itself is in the database.
    const repeated = await other.post('/execute', run, options)
    assert.deepEqual([repeated.headers.get('idempotency-replayed'), repeated.body.result.stdout], ['true', 'ran\n'])
  })

  test('under a key that the other server works on, is refused until it is answered or has a process', async () => {
    const key = newSession()
    const { engine } = home
    const request = { accountId: engine.server.ownerId, key, method: 'POST', path: '/execute', body: run }
    const claim = (await claimKey(engine, request)) as Claim
    const repeat = () => other.post('/execute', run, { headers: { 'idempotency-key': key } })
    const { status, body } = await repeat()
    assert.deepEqual([status, body.code, body.retryable], [409, 'IDEMPOTENCY_IN_PROGRESS', true])
    await home.db.updateTable('idempotency').set({ state: 'process' }).where('key', '=', key).execute()
    engine.openClaims.delete(claim.processId)
    const left = await repeat()
    assert.deepEqual([left.status, left.body.code, left.body.nodeId], [421, 'OTHER_NODE', engine.node.id])
    const { hasStarted, processId } = (await claimKey(engine, request)) as Claim
    assert.deepEqual({ hasStarted, processId }, { hasStarted: true, processId: claim.processId })
  })

  test('by a WebSocket is refused in its messages', async () => {
    const socket = new WebSocket(`${other.url.replace('http', 'ws')}/v1/exec`, {
      headers: { authorization: `Bearer ${other.token}` },
    })
    try {
      await once(socket, 'open')
      socket.send(JSON.stringify({ type: 'start', command: 'true', sessionId }))
      const [data] = (await once(socket, 'message')) as [Buffer]
      const { code, nodeId } = JSON.parse(data.toString()) as { code?: string; nodeId?: string }
      assert.deepEqual([code, nodeId], ['OTHER_NODE', home.engine.node.id])
    } finally {
      socket.terminate()
    }
  })

  test('by a message of /ws is refused too, and leaves nothing in the log', async () => {
    const socket = new WebSocket(`${other.url.replace('http', 'ws')}/ws`, {
      headers: { authorization: `Bearer ${other.token}` },
    })
    try {
      await once(socket, 'open')
      const refused = new Promise<string>((resolve) =>
        socket.on('message', (data: Buffer) => {
          if (data.toString().includes('OTHER_NODE')) resolve(data.toString())
        }),
      )
      socket.send(JSON.stringify({ type: 'read', id: '1', sessionId, path: 'log' }))
      assert.match(await refused, new RegExp(home.engine.node.id))
      assert.doesNotMatch(other.log(), /cannot suggest/)
    } finally {
      socket.terminate()
    }
  })

  test('by a preview is refused without saying where the computer is', async () => {
    const { url } = (await home.done('/expose', { port: 8080, sessionId })) as { url: string }
    const { status, body } = await other.preview(url, '/')
    assert.equal(status, 421)
    const { code, ...facts } = JSON.parse(body.toString()) as Record<string, unknown>
    assert.equal(code, 'OTHER_NODE')
    assert.doesNotMatch(JSON.stringify(facts), new RegExp(`${home.engine.node.id}|${new URL(home.url).port}`))
    assert.equal((await home.preview(url, '/')).status, 502, 'nothing listens there')
  })
})
