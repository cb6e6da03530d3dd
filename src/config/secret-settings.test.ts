import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { removeSecrets, secretSettings } from './secret-settings.ts'

const documented = new Set(
  readFileSync(new URL('../../docs/SETTINGS.md', import.meta.url), 'utf8').match(/CARREL_[A-Z_]+\b/g),
)

test('removeSecrets() removes the secrets and nothing else', () => {
  const env = { ...Object.fromEntries(secretSettings.map((name) => [name, 'secret'])), CARREL_PORT: '80', PATH: '/bin' }
  removeSecrets(env)
  assert.deepEqual(env, { CARREL_PORT: '80', PATH: '/bin' })
})

test('every setting that is named like a secret is one, and every secret is a setting', () => {
  const named = [...documented].filter((name) => /(KEY|SECRET|PASSWORD|TOKEN)$/.test(name))
  // The address of a contract, which is public, and the token of the command line.
  const open = new Set(['CARREL_TEMPO_TOKEN', 'CARREL_TOKEN'])
  for (const name of named)
    if (!open.has(name))
      assert.ok(
        secretSettings.some((secret) => secret === name),
        name,
      )
  for (const name of secretSettings) assert.ok(documented.has(name), name)
})
