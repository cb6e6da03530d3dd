import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { FakeFailure } from '../../../sdk/testing/fake-failure.ts'
import { FakeServer, usageAnswer } from '../../../sdk/testing/fake-server.ts'
import { bar } from '../bar.ts'
import { until } from '../../../test/support/server.ts'
import { CliHome, mainPath, resultOf } from '../testing/run-cli.ts'

test('balance shows the credit that is left', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  assert.equal((await home.run(['balance'], { server })).stdout, 'Credits  $4.50\n')
  const { stdout } = await home.run(['balance', '--json'], { server })
  assert.deepEqual(JSON.parse(stdout), { creditsRemaining: 4.5, creditsRemainingUsdc: '4.500000' })
})

test('balance and status explain how to pay when nothing is left', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  server.credit = 0.0012
  const hint = `Less than a cent is left: "carrel topup" prints a link to pay for more; ${server.url}/topup shows every way to pay.`
  assert.equal((await home.run(['balance'], { server })).stdout, `Credits  $0.0012\n         ${hint}\n`)
  const { stdout } = await home.run(['status'], { server })
  assert.ok(stdout.includes(hint), stdout)
  // Who pays nothing needs none.
  server.isBilled = false
  assert.equal((await home.run(['balance'], { server })).stdout, 'Credits  $0.0012\n')
})

test('a refusal for lack of credit names the command and the address by which a person pays', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const topupUrl = `${server.url}/topup`
  const refusal = new FakeFailure(402, 'OUT_OF_CREDITS', 'Cannot run this: the account has no credit left', {
    topupUrl,
  })
  for (const [args, path, expected] of [
    [['exec', 'true'], 'start', 255],
    [['exec', 'true'], '/v1/exec', 255],
    [['start', 'sleep 60'], '/process/start', 1],
  ] as const) {
    server.failNext(path, refusal)
    const { exitCode, stderr } = await home.run([...args], { server })
    const sentence = `"carrel topup" prints a link to pay for more; ${topupUrl} shows every way to pay.`
    const text = `carrel: Cannot run this: the account has no credit left (OUT_OF_CREDITS)\n  ${sentence}\n`
    assert.deepEqual([exitCode, stderr], [expected, text], path)
  }
})

test('usage is a table by day, without a chart if a program reads it', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const { stdout } = await home.run(['usage', '--days', '2'], { server })
  assert.equal(
    stdout,
    `DAY         METER         USED     COST
2026-01-25  compute    3,000 s  $0.3000
2026-01-26  browser       20 s  $0.0020
2026-01-26  compute  1,000.5 s  $0.1001
Total       browser       20 s  $0.0020
Total       compute  4,000.5 s  $0.4001
Credit left: $4.50
`,
  )
  assert.equal(server.requestsTo('/v1/usage?days=2').length + server.requestsTo('/v1/usage').length, 1)
})

test('usage is also shown by computer, key and label, and by nothing else', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const firstColumn = async (by: string) =>
    (await home.run(['usage', '--by', by], { server })).stdout.split('\n').map((line) => line.split(' ')[0])
  assert.deepEqual((await firstColumn('computer')).slice(0, 2), ['COMPUTER', 'web'])
  assert.deepEqual((await firstColumn('key')).slice(0, 2), ['KEY', '-'])
  assert.deepEqual((await firstColumn('label')).slice(0, 2), ['LABEL', 'web'])
  const { exitCode, stderr } = await home.run(['usage', '--by', 'weather'], { server })
  assert.equal(exitCode, 2)
  assert.match(stderr, /one of day, computer, key, label/)
})

test('a bar is as long as its value, and is never missing', () => {
  assert.deepEqual(
    [0, 1, 500, 1000].map((value) => bar(value, 1000, 4)),
    ['', '▏', '██', '████'],
  )
  assert.equal(bar(5, 0, 4), '')
})

test('ledger verify reports a missing ledger', async () => {
  using home = new CliHome()
  mkdirSync(join(home.path, 'data'))
  const { exitCode, stderr } = await home.run(['ledger', 'verify'])
  assert.equal(exitCode, 2)
  assert.match(stderr, /there is no ".*\/data\/carrel\.db"/)
  assert.equal((await home.run(['ledger', 'burn'])).exitCode, 2)
})

test('ledger review reports missing arguments and amounts that cannot be credited', async () => {
  using home = new CliHome()
  for (const [args, said] of [
    [['review'], /there is no ".*\/data\/carrel\.db"/],
    [['review', 'x'], /either --credit=<dollars> or --dismiss/],
    [['review', 'x', '--credit', '5', '--dismiss'], /either --credit=<dollars> or --dismiss/],
    [['review', '--dismiss'], /The payment is missing/],
    [['verify', 'x'], /takes no further arguments/],
    ...['0', '5.005', '1e3', 'abc', 'NaN'].map((amount) => [['review', 'x', '--credit', amount], /has to be dollars/]),
  ] as [string[], RegExp][]) {
    const { exitCode, stdout, stderr } = await home.run(['ledger', ...args])
    assert.deepEqual([exitCode, stdout], [2, ''], args.join(' '))
    assert.match(stderr, said)
  }
})

test('topup prints a link for a package or an amount, and nothing else on stdout', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const { stdout, stderr } = await home.run(['topup'], { server })
  assert.deepEqual([stdout, stderr], ['https://pay.test/1\n', 'Pay $5.00 for $5.00 of credit:\n'])
  for (const amount of ['20', '$20', '7.50', '7.5', '0.01']) await home.run(['topup', amount], { server })
  const asked = server.requestsTo('/api/v1/credits/topup').map(({ body }) => body)
  const cents = [2000, 2000, 750, 750, 1].map((amountCents) => ({ amountCents }))
  assert.deepEqual(asked, [{ tier: 'starter' }, ...cents])
  const { stdout: json } = await home.run(['topup', '--json', '1'], { server })
  assert.deepEqual(JSON.parse(json), {
    checkoutUrl: 'https://pay.test/1',
    paymentId: '1',
    amountCents: 100,
    creditsAdded: 1,
    currency: 'usd',
  })
})

test('topup answers an invalid amount with what the server accepts', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  for (const args of [['huge'], ['1e18'], ['NaN'], ['7.505'], ['-5'], ['-7.50'], ['--', '-5'], ['']]) {
    const { exitCode, stdout, stderr } = await home.run(['topup', ...args], { server })
    assert.deepEqual([exitCode, stdout], [2, ''], args.join(' '))
    assert.ok(
      stderr.startsWith(
        `carrel: Cannot top up by "${args.at(-1)}": it has to be dollars, with no more than two decimals, from $1.00 to $10000.00, such as 20 or 7.50, or a package (starter)\n`,
      ),
      stderr,
    )
  }
  const { exitCode, stderr } = await home.run(['topup', '-x'], { server })
  assert.equal(exitCode, 2)
  assert.match(stderr, /Unknown option "-x"/)
})

test('topup --wait waits until the balance shows the credit, whatever is used meanwhile', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const child = home.spawn(['topup', '20', '--wait'], { server })
  const result = resultOf(child)
  await until(
    () => server.requestsTo('/balance').length,
    (count) => count >= 2,
  )
  server.credit = 1
  await until(
    () => server.requestsTo('/balance').length,
    (count) => count >= 4,
  )
  assert.equal(child.exitCode, null)
  server.credit = 20.9
  const { exitCode, stdout } = await result
  assert.deepEqual([exitCode, stdout], [0, 'https://pay.test/1\nCredits  $20.90\n'])
})

test('topup says if only programs can pay, and what the operator has to set if nobody can', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  server.hasCheckout = false
  const { exitCode, stderr } = await home.run(['topup'], { server })
  assert.equal(exitCode, 1)
  assert.match(stderr, new RegExp(`programs only; let an MPP client answer the challenge of POST ${server.url}/topup`))
  server.hasMachinePayments = false
  assert.match((await home.run(['topup'], { server })).stderr, /^carrel: Nobody can pay here \(NOT_SET_UP\)/)
})

test('account delete has to be confirmed, and can be cancelled', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const unsure = await home.run(['account', 'delete'], { server })
  assert.equal(unsure.exitCode, 2)
  assert.match(unsure.stderr, /account delete --yes/)
  assert.equal(server.requestsTo('/api/v1/account/delete').length, 0)
  assert.equal((await home.run(['account', 'delete', '--yes'], { server })).stdout, 'It goes.\n')
  const kept = await home.run(['account', 'cancel-deletion', '--json'], { server })
  assert.deepEqual(JSON.parse(kept.stdout), { deleteAt: null, message: 'It stays.' })
  assert.equal((await home.run(['account', 'burn'], { server })).exitCode, 2)
})

/** What `carrel usage` shows in a terminal of so many columns. */
async function screenOf(home: CliHome, server: FakeServer, cols: number, args = '', env: Record<string, string> = {}) {
  const command = `stty cols ${cols}; ${process.execPath} ${mainPath} usage ${args}`
  const child = spawn('/usr/bin/script', ['-qefc', command, '/dev/null'], {
    env: { ...home.env({ server, env }), TERM: 'xterm' },
  })
  return (await text(child.stdout)).replaceAll('\r\n', '\n')
}

test('in a terminal usage fits its width, with a chart, and names each day once', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  for (const [cols, hasQuantities] of [
    [80, true],
    [40, false],
  ] as const) {
    const screen = await screenOf(home, server, cols)
    const lines = screen.split('\n')
    assert.ok(lines.length > 6 && lines.every((line) => line.length <= cols), screen)
    assert.ok(screen.includes('█') && screen.includes('$0.1001'), screen)
    assert.equal(screen.includes('3,000 s'), hasQuantities, screen)
    assert.equal(screen.split('2026-01-26').length, 2, screen)
  }
})

const hour = 3600
const dearUsage: typeof usageAnswer = {
  ...usageAnswer,
  totals: [
    { of: '', meter: 'compute', quantity: 100 * hour, unit: 's', amountMicros: 36_000_000 },
    { of: '', meter: 'storage_hot', quantity: 12.5, unit: 'GiB-h', amountMicros: 4_212_000 },
  ],
  byDay: [
    { of: '2026-01-23', meter: 'compute', quantity: 25 * hour, unit: 's', amountMicros: 9_000_000 },
    { of: '2026-01-26', meter: 'compute', quantity: 75 * hour, unit: 's', amountMicros: 27_000_000 },
    { of: '2026-01-26', meter: 'storage_hot', quantity: 12.5, unit: 'GiB-h', amountMicros: 4_212_000 },
  ],
  byComputer: [
    { of: 'a'.repeat(20), name: '', meter: 'compute', quantity: 25 * hour, unit: 's', amountMicros: 9_000_000 },
    {
      of: 'b'.repeat(20),
      name: 'n'.repeat(40),
      meter: 'compute',
      quantity: 75 * hour,
      unit: 's',
      amountMicros: 27_000_000,
    },
    {
      of: 'b'.repeat(20),
      name: 'n'.repeat(40),
      meter: 'storage_hot',
      quantity: 12.5,
      unit: 'GiB-h',
      amountMicros: 4_212_000,
    },
  ],
  byLabel: [
    { of: '', meter: 'storage_hot', quantity: 1, unit: 'GiB-h', amountMicros: 1 },
    { of: '', name: '', meter: 'compute', quantity: 25 * hour, unit: 's', amountMicros: 9_000_000 },
    { of: 'web', meter: 'compute', quantity: 75 * hour, unit: 's', amountMicros: 27_000_000 },
  ],
  byKey: [{ of: 'k3y', name: '', meter: 'compute', quantity: 100 * hour, unit: 's', amountMicros: 36_000_000 }],
}

test('in a terminal usage has a bar for each day, even a day without usage, and a total', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  server.usage = dearUsage
  assert.equal(
    await screenOf(home, server, 80),
    `DAY         METER              USED     COST
2026-01-23  compute          25.0 h   $9.000  ████████▋
2026-01-24                            $0.000
2026-01-25                            $0.000
2026-01-26                           $31.212  ██████████████████████████████
            compute          75.0 h  $27.000
            storage hot  12.5 GiB-h   $4.212
${'─'.repeat(76)}
Total                                $40.212
            compute         100.0 h  $36.000
            storage hot  12.5 GiB-h   $4.212
Credit left: $4.50
`,
  )
})

test('usage shows the highest cost first, and names the default sandbox but no default key', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  server.usage = dearUsage
  const names = async (by: string) =>
    (await home.run(['usage', '--by', by], { server })).stdout
      .split('\n')
      .slice(1, -2)
      .map((line) => line.split(' ')[0])
      .filter((name) => name !== 'Total')
  assert.deepEqual(await names('computer'), ['n'.repeat(40), 'n'.repeat(40), '(default)'])
  assert.deepEqual(await names('label'), ['web', '(default)', '-'])
  assert.deepEqual(await names('key'), ['k3y'])
})

test('in a terminal usage cuts a long name before the chart, and stays within every width', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  server.usage = dearUsage
  for (const [cols, by, longestBar] of [
    [80, 'computer', 30],
    [60, 'computer', 14],
    [60, 'label', 15],
    [40, 'label', 7],
  ] as const) {
    const screen = await screenOf(home, server, cols, `--by ${by}`)
    assert.ok(
      screen.split('\n').every((line) => line.length <= cols),
      screen,
    )
    assert.equal(Math.max(...[...screen.matchAll(/█+/g)].map(([bar]) => bar.length)), longestBar, screen)
  }
})

test('NO_COLOR removes the chart from usage and keeps the rest', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const screen = await screenOf(home, server, 80, '', { NO_COLOR: '1' })
  assert.ok(!/[▏▎▍▌▋▊▉█]/.test(screen) && screen.includes('─\nTotal'), screen)
  assert.match(await screenOf(home, server, 80, '', { NO_COLOR: '' }), /█/)
})
