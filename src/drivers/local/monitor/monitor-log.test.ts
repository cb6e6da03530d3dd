import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

/** Logs a thousand messages, with a descriptor as stderr. */
function logTo(stderr: number): number | null {
  const module = new URL('monitor-log.ts', import.meta.url).href
  const program = `
    const { logError } = await import(${JSON.stringify(module)})
    for (let count = 0; count < 1000; count++) logError(count + ' ' + 'x'.repeat(2000))
    setImmediate(() => process.exit(7))`
  const options = { stdio: ['ignore', 'ignore', stderr] as ('ignore' | number)[], timeout: 30_000 }
  return spawnSync(process.execPath, ['--input-type=module', '--eval', program], options).status
}

test('a log that cannot be written, as on a full disk, does not end the monitor', () => {
  const full = openSync('/dev/full', 'w')
  assert.equal(logTo(full), 7)
  closeSync(full)
})

test('the log of the monitor is bounded, and has the last message', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'carrel-log-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'monitor.log')
  const log = openSync(path, 'a')
  assert.equal(logTo(log), 7)
  closeSync(log)
  assert.ok(statSync(path).size < 1.1 * 1024 * 1024)
  assert.match(readFileSync(path, 'latin1'), / 999 x+\n$/)
})
