import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import type { ClientSocket } from './client-socket.ts'
import { relaySocket } from './relay-socket.ts'

test('many messages for a connection that reads nothing are one wait', async () => {
  const held: boolean[] = []
  const client = Object.assign(new EventEmitter(), { hold: (_holder: string, isHeld: boolean) => held.push(isHeld) })
  const [near, far] = duplexPair({ highWaterMark: 1 })
  const relayed = relaySocket(client as unknown as ClientSocket, near)
  for (let count = 0; count < 100; count++) client.emit('message', Buffer.of(1, 2), true)
  assert.ok(held.length > 0 && held.every(Boolean))
  assert.equal(near.listenerCount('drain'), 1)
  const drained = new Promise((resolve) => near.once('drain', resolve))
  far.resume()
  await drained
  assert.equal(held.at(-1), false)
  client.emit('close')
  await relayed
})
