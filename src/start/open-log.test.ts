import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { test } from 'node:test'

test('a log that takes nothing, as on a full disk, does not end the program', () => {
  const full = openSync('/dev/full', 'w')
  const module = new URL('open-log.ts', import.meta.url).href
  const program = `
    const { openLog } = await import(${JSON.stringify(module)})
    const log = openLog('info')
    for (let count = 0; count < 1000; count++) log.info('x'.repeat(10_000))
    console.log('out')
    setTimeout(() => process.exit(process.memoryUsage().rss < 300e6 ? 7 : 8), 100)`
  const { status } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', full, full],
    timeout: 30_000,
  })
  closeSync(full)
  assert.equal(status, 7)
})
