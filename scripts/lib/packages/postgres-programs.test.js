import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { postgresPrograms, serverPrograms } from './postgres-programs.js'

test('postgresPrograms() finds the newest complete server from version 14 on', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-postgres-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const install = (/** @type {string} */ version, programs = serverPrograms) => {
    const bin = join(folder, version, 'bin')
    mkdirSync(bin, { recursive: true })
    for (const program of programs) {
      writeFileSync(join(bin, program), '')
      chmodSync(join(bin, program), 0o755)
    }
  }
  assert.equal(postgresPrograms(join(folder, 'none')), undefined)
  install('13')
  install('17', ['psql', 'createuser'])
  install('backup')
  assert.equal(postgresPrograms(folder), undefined)
  install('9.6')
  install('15')
  install('16')
  assert.equal(postgresPrograms(folder), join(folder, '16', 'bin'))
})
