import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { killLeftovers, runVariable } from './leftovers.js'

test('killLeftovers() ends what carries the id, or one below it, and nothing else', async (t) => {
  const start = (/** @type {string} */ id) => spawn('sleep', ['60'], { detached: true, env: { [runVariable]: id } })
  const own = [start('run-a'), start('run-a/1')]
  const other = start('run-ab')
  t.after(() => other.kill('SIGKILL'))
  await Promise.all([...own, other].map((child) => once(child, 'spawn')))
  const ends = own.map((child) => once(child, 'exit'))
  assert.deepEqual(killLeftovers('run-a'), ['sleep 60', 'sleep 60'])
  for (const [, signal] of await Promise.all(ends)) assert.equal(signal, 'SIGKILL')
  assert.equal(other.exitCode ?? other.signalCode, null)
})
