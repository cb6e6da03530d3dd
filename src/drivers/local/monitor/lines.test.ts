import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { onLines } from './lines.ts'

/** Returns the messages from received parts. */
function messagesOf(parts: string[]): { messages: unknown[]; destroyed: boolean } {
  const state = { messages: [] as unknown[], destroyed: false }
  const socket = Object.assign(new EventEmitter(), { setEncoding: () => {}, destroy: () => (state.destroyed = true) })
  onLines(socket as unknown as Socket, (message) => state.messages.push(message))
  for (const part of parts) socket.emit('data', part)
  return state
}

test('onLines() assembles lines from any parts', () => {
  const text = '{"a":1}\n{"b":2}\n{"c":"x"}\n{"d'
  for (let size = 1; size <= text.length; size++) {
    const parts = text.match(new RegExp(`[^]{1,${size}}`, 'g'))!
    assert.deepEqual(messagesOf(parts).messages, [{ a: 1 }, { b: 2 }, { c: 'x' }])
  }
})

// Joining all parts anew with each one would take a minute.
test('onLines() accepts a long line in many small parts', { timeout: 20_000 }, () => {
  const part = 'x'.repeat(1024)
  const parts = Array.from({ length: 40_000 }, () => part)
  const { messages } = messagesOf(['"', ...parts, '"\n'])
  assert.equal((messages[0] as string).length, 40_000 * 1024)
  assert.equal(messagesOf(Array.from({ length: 70_000 }, () => part)).destroyed, true)
})
