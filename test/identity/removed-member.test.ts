import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { connectSocket, SocketClient } from '../paperpod/socket-client.ts'
import { readFrames, type Frame } from '../paperpod/sse-frames.ts'
import { setLimits } from '../support/set-limits.ts'
import { TestApp } from '../support/test-app.ts'
import { withDatabase } from '../support/with-database.ts'
import { signInByMail } from './outbox.ts'

describe('the live connections of a member', { timeout: 300_000 }, () => {
  let server: TestApp
  before(async () => {
    setLimits({ liveConnectionsCheckMs: 1000 })
    server = await TestApp.start({ env: { CARREL_SIGN_INS_PER_MINUTE: '0', CARREL_PLAY_MONEY: 'on' } })
  })
  after(() => server.stop())

  const call = (token: string, method: string, path: string, body?: unknown) =>
    server.call(method, path, body, { token })
  const pay = async (token: string) => {
    const { body } = await call(token, 'POST', '/api/v1/credits/topup', { amountCents: 500 })
    const { pathname, search } = new URL(body.checkoutUrl)
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    await server.call('POST', pathname + search, '', { token: null, headers })
  }
  /** Opens everything that outlives a request. Holds the responses, whose streams end with them. */
  const openAll = async (token: string) => {
    const stream = async (path: string, body: object) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const response = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
      const frames = readFrames(response)[Symbol.asyncIterator]()
      const { value: first } = (await frames.next()) as { value: Frame }
      const last = (async () => {
        let frame = first
        for await (const next of { [Symbol.asyncIterator]: () => frames }) frame = next
        return frame
      })()
      return { response, first, last }
    }
    const exec = connectSocket(server, { token, path: '/v1/exec' })
    await once(exec, 'open')
    return {
      ws: await SocketClient.open(server, { token }),
      exec,
      watch: await stream('/watch', { path: '/workspace' }),
      execute: await stream('/execute/stream', { code: 'sleep 100', language: 'shell' }),
    }
  }

  test('end with their removal, and nobody else is disturbed', async () => {
    const [owner, member] = [await signInByMail(server), await signInByMail(server)]
    const id = (await call(owner, 'POST', '/v1/workspaces', { name: 'Shared' })).body.workspace_id as string
    const user_id = (await call(member, 'GET', '/users/me')).body.user_id as string
    await withDatabase((db) =>
      db.insertInto('memberships').values({ account_id: id, user_id, role: 'member', created_at: 1 }).execute(),
    )
    await pay(`${owner}~${id}`)
    const theirs = await openAll(`${member}~${id}`)
    assert.deepEqual([theirs.watch.first.event, theirs.execute.first.event], ['watching', 'start'])
    const others = [
      await SocketClient.open(server, { token: member }),
      await SocketClient.open(server, { token: `${owner}~${id}` }),
    ]
    assert.equal((await call(owner, 'DELETE', `/v1/workspaces/${id}/members/${user_id}`)).status, 200)
    const closes = await Promise.all([once(theirs.ws.socket, 'close'), once(theirs.exec, 'close')])
    for (const [code, reason] of closes)
      assert.deepEqual([code, String(reason)], [1008, 'its user has left the workspace'])
    for (const { event, data } of await Promise.all([theirs.watch.last, theirs.execute.last])) {
      assert.deepEqual([event, data.code], ['error', 'UNAUTHENTICATED'])
      assert.match(data.error, /its user has left the workspace/)
    }
    for (const client of others) {
      assert.equal(client.socket.readyState, WebSocket.OPEN)
      assert.equal((await client.ask({ type: 'memory_list', prefix: '' })).type, 'memory_list_result')
      await client.close()
    }
  })

  test('end when the token ends in another way', async () => {
    const token = await signInByMail(server)
    const { session_id: id } = (await call(token, 'GET', '/users/me/sessions')).body.sessions[0]
    const theirs = await SocketClient.open(server, { token })
    const endedAtMs = Date.now()
    await withDatabase((db) => db.updateTable('tokens').set({ expires_at: endedAtMs }).where('id', '=', id).execute())
    const [code, reason] = await once(theirs.socket, 'close')
    assert.deepEqual([code, String(reason)], [1008, 'the token is no longer valid'])
  })

  test('end when their key is revoked, streams too', async () => {
    const owner = await signInByMail(server)
    const { body: key } = await call(owner, 'POST', '/users/me/api-keys', {})
    const theirs = await openAll(key.api_key)
    await call(owner, 'DELETE', '/users/me/api-keys', { key_id: key.key_id })
    const closes = await Promise.all([once(theirs.ws.socket, 'close'), once(theirs.exec, 'close')])
    for (const [code, reason] of closes)
      assert.deepEqual([code, String(reason)], [1008, 'the token is no longer valid'])
    for (const { event, data } of await Promise.all([theirs.watch.last, theirs.execute.last]))
      assert.deepEqual([event, data.code], ['error', 'UNAUTHENTICATED'])
  })
})
