import { testEngine } from '../../../test/support/test-engine.ts'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { limits } from '../../config/limits.ts'
import { readSettings } from '../../config/settings.ts'
import { openDatabase } from '../../db/open.ts'
import { LiveConnections } from '../../engine/identity/accounts/live-connections.ts'
import { createAccount } from '../../engine/identity/accounts/owner.ts'
import { createToken, insertToken } from '../../engine/identity/accounts/tokens.ts'
import { AccountRemovals } from '../../engine/identity/accounts/account-removals.ts'
import type { Engine } from '../../engine/engine.ts'
import { DescriptorBudget } from '../../engine/budgets/descriptor-budget.ts'
import { AuthCache } from '../../engine/identity/auth/auth-cache.ts'
import { ClientNetworks } from '../client-networks.ts'
import { Connections } from '../connections.ts'
import type { ErrorEnvelope } from '../error-envelope.ts'
import { AccountLimits, type RateLimitPolicy } from '../rate-limits.ts'
import type { Surface } from '../surface.ts'
import type { SocketEndpoint } from './socket-endpoint.ts'
import { SocketServer } from './socket-server.ts'

/** Everything that the servers of these tests share. */
const base = await testEngine()
await base.driver.close()
await base.db.destroy()

describe('SocketServer', () => {
  const directory = mkdtempSync(join(tmpdir(), 'carrel-sockets-'))
  let db: Engine['db']
  let token: string
  before(async () => {
    db = await openDatabase(join(directory, 'test.db'))
    token = await createToken(db, await createAccount(db, 'test'), 'test')
  })
  after(async () => {
    await db.destroy()
    rmSync(directory, { recursive: true })
  })

  /** Starts a server that echoes messages, on its own port. */
  async function start() {
    const heard: string[] = []
    const accountRemovals = new AccountRemovals()
    const liveConnections = new LiveConnections(db, accountRemovals)
    const engine = { ...base, db, accountRemovals, liveConnections, authCache: new AuthCache(db) }
    const accountLimits = new AccountLimits({ settings: readSettings({}), server: { ownerId: 'owner' } })
    const envelope: ErrorEnvelope = {
      name: 'Error',
      schema: {},
      body: ({ message, code }, requestId) => ({ error: message, code, requestId }),
      codeOf: (code) => code,
    }
    const rateLimits: RateLimitPolicy = {
      by: 'account',
      perMinute: () => ({ read: 0, write: 0 }),
      limitsOwner: false,
      countsUnknown: false,
    }
    const surface = { envelope, rateLimits } as Surface
    const connections = new Connections({ budget: new DescriptorBudget(1000), networks: new ClientNetworks([]) })
    const echo: SocketEndpoint = {
      maxMessageBytes: 1000,
      open: (socket, { params }) =>
        void socket.on('message', (data: Buffer) => {
          heard.push(String(data))
          socket.send(params['room'] === undefined ? data : `${params['room']}: ${String(data)}`)
        }),
    }
    const sockets = new SocketServer({ engine, accountLimits, connections }, [
      { path: '/echo', endpoint: echo, surface, scope: 'compute' },
      { path: '/rooms/:room/echo', endpoint: echo, surface, scope: 'account' },
    ])
    const http = createServer()
    http.on('upgrade', (request, socket, head) => {
      if (!sockets.upgrade(request, socket, head)) socket.destroy()
    })
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const { port } = http.address() as AddressInfo
    const open = () => new WebSocket(`ws://127.0.0.1:${port}/echo`, { headers: { authorization: `Bearer ${token}` } })
    return {
      sockets,
      port,
      open,
      liveConnections,
      heard,
      [Symbol.dispose]() {
        sockets.close()
        http.closeAllConnections()
        http.close()
      },
    }
  }

  test('gives a WebSocket the parameters of its path, and wants the scope of its route', async () => {
    using server = await start()
    const connect = (path: string, secret: string) =>
      new WebSocket(`ws://127.0.0.1:${server.port}${path}`, { headers: { authorization: `Bearer ${secret}` } })
    const socket = connect('/rooms/a%20b/echo?x=1', token)
    await once(socket, 'open')
    socket.send('hello')
    const [data] = (await once(socket, 'message')) as [Buffer]
    assert.equal(String(data), 'a b: hello')
    socket.terminate()
    const accountId = await createAccount(db, 'narrow')
    const { secret } = await insertToken(db, { accountId, kind: 'api_key', name: 'k', scopes: ['compute'] })
    const refused = connect('/rooms/1/echo', secret)
    refused.on('error', () => {})
    const [, response] = (await once(refused, 'unexpected-response')) as [unknown, IncomingMessage]
    const { code, requestId } = JSON.parse(await text(response))
    assert.deepEqual([response.statusCode, code], [403, 'forbidden'])
    assert.equal(requestId, response.headers['x-request-id'])
    const elsewhere = connect('/rooms/1/2/echo', token)
    await once(elsewhere, 'error')
  })

  test('closes a connection whose token was revoked, and no other', async () => {
    using server = await start()
    const { secret, row } = await insertToken(db, {
      accountId: await createAccount(db, 'other'),
      kind: 'api_key',
      name: 'k',
    })
    const other = new WebSocket(`ws://127.0.0.1:${server.port}/echo`, {
      headers: { authorization: `Bearer ${secret}` },
    })
    const own = server.open()
    await Promise.all([once(other, 'open'), once(own, 'open')])
    await db.updateTable('tokens').set({ revoked_at: Date.now() }).where('id', '=', row.id).execute()
    const closed = once(other, 'close')
    await server.liveConnections.endLapsed()
    // The client has not received the close yet.
    other.send('one more')
    const [code, reason] = (await closed) as [number, Buffer]
    assert.deepEqual([code, String(reason)], [1008, 'the token is no longer valid'])
    assert.deepEqual(server.heard, [])
    assert.equal(own.readyState, WebSocket.OPEN)
    own.terminate()
  })

  test('pings every client; one that answers stays connected, one that is gone is cut off', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval', 'Date'] })
    using server = await start()
    const there = server.open()
    await once(there, 'open')
    // A client whose host has vanished: the connection stays open, and nothing answers.
    const gone = connect(server.port, '127.0.0.1')
    gone.write(
      `GET /echo HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    )
    await once(gone, 'data')
    const cut = once(gone, 'close')
    let isCut = false
    void cut.then(() => (isCut = true))
    for (let waitedMs = 0; waitedMs <= limits.stalledClientMs; waitedMs += limits.socketPingMs) {
      assert.equal(isCut, false, `after ${waitedMs} ms`)
      const pinged = once(there, 'ping')
      t.mock.timers.tick(limits.socketPingMs)
      await pinged
      // The pong is on its way.
      there.send('heard')
      await once(there, 'message')
    }
    t.mock.timers.tick(limits.socketPingMs)
    gone.resume()
    await cut
    await turn()
    assert.equal(there.readyState, WebSocket.OPEN)
    there.terminate()
  })

  test('tells every client to reconnect when the server stops', async () => {
    using server = await start()
    const socket = server.open()
    await once(socket, 'open')
    const closed = once(socket, 'close')
    server.sockets.close()
    const [code, reason] = await closed
    assert.deepEqual([code, String(reason)], [1012, 'the server restarts'])
  })
})
