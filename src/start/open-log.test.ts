import assert from 'node:assert/strict'
import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { test } from 'node:test'

test('a log that accepts nothing, as on a full disk, neither ends the program nor keeps it from ending', () => {
  const full = openSync('/dev/full', 'w')
  const { status } = runLogging(
    `for (let count = 0; count < 1000; count++) log.info('x'.repeat(10_000))
     console.log('out')
     setTimeout(() => { log.info('end'); process.exit(process.memoryUsage().rss < 300e6 ? 7 : 8) }, 100)`,
    full,
  )
  closeSync(full)
  assert.equal(status, 7)
})

test('lines that wait when the program exits are written completely, once and in order', () => {
  const { stderr } = runLogging(
    `for (let count = 0; count < 1000; count++) log.info({ count }, 'x'.repeat(500)); process.exit()`,
    'pipe',
  )
  const counts = stderr
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { count: number }).count)
  assert.deepEqual(counts, [...counts.keys()])
  assert.equal(counts.length, 1000)
})

function runLogging(body: string, outputs: number | 'pipe'): SpawnSyncReturns<string> {
  const module = new URL('open-log.ts', import.meta.url).href
  const program = `const { openLog } = await import(${JSON.stringify(module)}); const log = openLog('info'); ${body}`
  return spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', outputs, outputs],
    timeout: 30_000,
    encoding: 'utf8',
  })
}
