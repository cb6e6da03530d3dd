import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { StandIn } from '../../../sdk/testing/stand-in-server.ts'
import { bar } from '../bar.ts'
import { CliHome } from '../testing/run-cli.ts'

test('balance shows what is left', async () => {
  await using standIn = await StandIn.start()
  using home = new CliHome()
  assert.equal((await home.run(['balance'], { standIn })).stdout, 'Credits  $4.50\n')
  const { stdout } = await home.run(['balance', '--json'], { standIn })
  assert.deepEqual(JSON.parse(stdout), { creditsRemaining: 4.5, creditsRemainingUsdc: '4.500000' })
})

test('usage is a table with a bar chart, by day', async () => {
  await using standIn = await StandIn.start()
  using home = new CliHome()
  const { stdout } = await home.run(['usage', '--days', '2'], { standIn })
  assert.equal(
    stdout,
    `DAY         METER         USED     COST
2026-01-25  compute    3,000 s    $0.30  ██████████████████████████████
2026-01-26  browser       20 s   $0.002  ▎
2026-01-26  compute  1,000.5 s  $0.1001  ██████████
Total       browser       20 s   $0.002
Total       compute  4,000.5 s  $0.4001
Credit left: $4.50
`,
  )
  assert.equal(standIn.requestsTo('/v1/usage?days=2').length + standIn.requestsTo('/v1/usage').length, 1)
})

test('usage goes by computer, key and label too, and by nothing else', async () => {
  await using standIn = await StandIn.start()
  using home = new CliHome()
  const firstColumn = async (by: string) =>
    (await home.run(['usage', '--by', by], { standIn })).stdout.split('\n').map((line) => line.split(' ')[0])
  assert.deepEqual((await firstColumn('computer')).slice(0, 2), ['COMPUTER', 'web'])
  assert.deepEqual((await firstColumn('key')).slice(0, 2), ['KEY', '-'])
  assert.deepEqual((await firstColumn('label')).slice(0, 2), ['LABEL', 'web'])
  const { exitCode, stderr } = await home.run(['usage', '--by', 'weather'], { standIn })
  assert.equal(exitCode, 2)
  assert.match(stderr, /by day, computer, key, label/)
})

test('a bar is as long as its value, and never missing', () => {
  assert.deepEqual(
    [0, 1, 500, 1000].map((value) => bar(value, 1000, 4)),
    ['', '▏', '██', '████'],
  )
  assert.equal(bar(5, 0, 4), '')
})

test('ledger verify says what is missing where there are no books', async () => {
  using home = new CliHome()
  mkdirSync(join(home.path, 'data'))
  const { exitCode, stderr } = await home.run(['ledger', 'verify'])
  assert.equal(exitCode, 2)
  assert.match(stderr, /there is no ".*\/data\/carrel\.db"/)
  assert.equal((await home.run(['ledger', 'burn'])).exitCode, 2)
})
