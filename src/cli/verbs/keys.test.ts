import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeServer } from '../../../sdk/testing/fake-server.ts'
import { CliHome } from '../testing/run-cli.ts'

test('keys creates a key whose secret a script can read, lists it without, and revokes it by its name', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const keys = (...args: string[]) => home.run(['keys', ...args], { server })
  assert.equal((await keys()).stdout, 'There are no keys: "carrel keys create <name>" creates one.\n')
  const made = await keys('create', 'ci', '--scope', 'compute', '--expires', '30d')
  assert.equal(made.stdout, 'ak_fake\n')
  assert.deepEqual(server.requests.at(-1)!.body, { name: 'ci', scopes: ['compute'], expires_in: 2_592_000 })
  await keys('create')
  assert.equal(
    (await keys()).stdout,
    `NAME  KEY    FOR         LAST USED  EXPIRES           CREATED
ci    key-1  compute     never      2026-02-25 00:00  2026-01-26 12:00
-     key-2  everything  never      never             2026-01-26 12:00
`,
  )
  const { keys: listed } = JSON.parse((await keys('--json')).stdout)
  assert.deepEqual([listed.length, listed[0].api_key], [2, undefined])
  assert.equal((await keys('revoke', 'ci')).stdout, 'Revoked ci: it is refused from now on\n')
  assert.equal((await keys('revoke', 'key-2')).exitCode, 0)
  const gone = await keys('revoke', 'key-2')
  assert.equal(gone.exitCode, 1)
  assert.match(gone.stderr, /NOT_FOUND/)
})

test('keys refuses invalid arguments before it asks the server', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const cases: [string[], RegExp][] = [
    [['burn'], /Cannot do "burn" with keys/],
    [['revoke'], /The key is missing/],
    [['create', 'x', '--expires', 'soon'], /Cannot use "soon" as the lifetime/],
    [['create', 'x', '--expires', '0d'], /Cannot use "0d" as the lifetime/],
  ]
  for (const [args, expected] of cases) {
    const { exitCode, stderr } = await home.run(['keys', ...args], { server })
    assert.equal(exitCode, 2, args.join(' '))
    assert.match(stderr, expected)
  }
  assert.deepEqual(server.requests, [])
  await home.run(['keys', 'create', 'same'], { server })
  await home.run(['keys', 'create', 'same'], { server })
  const { exitCode, stderr } = await home.run(['keys', 'revoke', 'same'], { server })
  assert.equal(exitCode, 2)
  assert.match(stderr, /2 keys have this name/)
})

test('limits shows what is spent of each, sets limits in dollars, and removes them', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const limits = (...args: string[]) => home.run(['limits', ...args], { server })
  assert.equal((await limits()).stdout, 'There is no limit.\n')
  assert.equal(
    (await limits('--day', '2.50', '--month', '40')).stdout,
    `OF         PER     SPENT   LIMIT
Workspace  day     $1.25   $2.50  ██████████ 50 %
Workspace  month  $40.00  $40.00  ████████████████████ used up
`,
  )
  assert.deepEqual(server.requests.at(-1)!.body, { daily_limit_cents: 250, monthly_limit_cents: 4000 })
  await limits('--month', 'none', '--key', 'key-1')
  assert.deepEqual(server.requests.at(-1)!.body, { keys: [{ key_id: 'key-1', monthly_limit_cents: null }] })
  for (const wrong of ['-1', '1.005', '1e9', 'ten', ''])
    assert.equal((await limits(`--day=${wrong}`)).exitCode, 2, wrong)
  assert.equal((await limits('--key', 'key-1')).exitCode, 2)
})
