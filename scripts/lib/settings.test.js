import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings } from './settings.js'
import { SetupFailure } from './setup-failure.js'

test('readSettings() returns the defaults, also for empty variables', () => {
  const defaults = { host: '127.0.0.1', port: 4280, dataDirectory: '/var/lib/carrel' }
  assert.deepEqual(readSettings({}), defaults)
  assert.deepEqual(readSettings({ CARREL_HOST: '', CARREL_PORT: '', CARREL_DATA: '' }), defaults)
})

test('readSettings() refuses an invalid port', () => {
  for (const port of ['abc', '70000', '-1', '80.5']) {
    assert.throws(() => readSettings({ CARREL_PORT: port }), SetupFailure)
  }
})
