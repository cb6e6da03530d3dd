import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { unknownSettings } from './unknown-settings.ts'

test('a misspelt setting is reported with the nearest name, and one that resembles none without', () => {
  assert.deepEqual(unknownSettings({ CARREL_PRT: '80', CARREL_PORT: '80', CARREL_WARM_COMPUTER: '1', PATH: '/bin' }), [
    'CARREL_PRT is not a setting and has no effect: did you mean "CARREL_PORT"?',
    'CARREL_WARM_COMPUTER is not a setting and has no effect: did you mean "CARREL_WARM_COMPUTERS"?',
  ])
  assert.deepEqual(unknownSettings({ CARREL_FROBNICATE_THE_WHOLE_THING: '' }), [
    'CARREL_FROBNICATE_THE_WHOLE_THING is not a setting and has no effect',
  ])
})

test('every documented setting is known, and so are the variables that are not for the server', () => {
  const documented = readFileSync(new URL('../../docs/SETTINGS.md', import.meta.url), 'utf8').match(
    /CARREL_[A-Z_]+\b/g,
  )!
  assert.ok(documented.length > 40)
  assert.deepEqual(unknownSettings(Object.fromEntries(documented.map((name) => [name, 'x']))), [])
  const others = [
    'CARREL_TOKEN',
    'CARREL_URL',
    'CARREL_PROCESS_ID',
    'CARREL_TEST_LANES',
    'CARREL_CLI_NAME',
    'CARREL_PROGRESS_AFTER_MS',
  ]
  assert.deepEqual(unknownSettings(Object.fromEntries(others.map((name) => [name, 'x']))), [])
})
