import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { FakeServer } from '../../../sdk/testing/fake-server.ts'
import { CliHome } from '../testing/run-cli.ts'

test('status shows server, versions, token, credits and sandbox', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  await home.run(['start', 'sleep 60'], { server })
  const { exitCode, stdout } = await home.run(['status'], { server })
  assert.equal(exitCode, 0)
  assert.match(stdout, new RegExp(`^Server +${server.url}, ok, version 9\\.8\\.7$`, 'm'))
  assert.match(
    stdout,
    /^CLI +version \d+\.\d+\.\d+\n +This program is of version .*: that of the server's version fits better\.$/m,
  )
  assert.match(stdout, /^Token +from CARREL_TOKEN$/m)
  assert.match(stdout, /^Credits +\$4\.50$/m)
  assert.match(stdout, /^Sandbox +\(default\), 1 of 1 processes running$/m)
})

test('status shows when a saved token expires', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const config = { token: server.token, url: server.url, expiresAt: '2020-02-03T04:05:06Z' }
  mkdirSync(join(home.path, '.carrel'))
  writeFileSync(join(home.path, '.carrel/config.json'), JSON.stringify(config))
  const { stdout } = await home.run(['status'])
  assert.match(stdout, /^Token +from ~\/\.carrel\/config\.json, expired 2020-02-03 04:05$/m)
})

test('status shows how far the image of computers is, until it has been built', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const shown: [object, RegExp][] = [
    [
      { state: 'building', step: 'Unpacking packages (3 of 9)', progress: 0.426 },
      /^Image +the desktop image is being built, 42 %: Unpacking packages \(3 of 9\)$/m,
    ],
    [{ state: 'failed' }, /^Image +the desktop image cannot be built; the server's log says why$/m],
  ]
  for (const [desktopImage, text] of shown) {
    server.health = { desktopImage }
    assert.match((await home.run(['status'], { server })).stdout, text)
    assert.deepEqual(
      JSON.parse((await home.run(['status', '--json'], { server })).stdout).server.desktopImage,
      desktopImage,
    )
  }
})

test('status works with a server that has no balances', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  server.hasBalance = false
  const { exitCode, stdout } = await home.run(['status', '--json'], { server })
  assert.equal(exitCode, 0)
  const answer = JSON.parse(stdout)
  assert.deepEqual([answer.server.reachable, answer.account.creditsRemaining], [true, null])
})

test('status works while the server is down: it says so and exits with 1', async () => {
  const server = await FakeServer.start()
  await server[Symbol.asyncDispose]()
  using home = new CliHome()
  const { exitCode, stdout, stderr } = await home.run(['status'], { server })
  assert.deepEqual([exitCode, stderr], [1, ''])
  assert.match(stdout, /connection refused\. Start it with "npm start"/)
  assert.match(stdout, /^CLI +version/m)
  const answer = JSON.parse((await home.run(['status', '--json'], { server })).stdout)
  assert.deepEqual([answer.server.reachable, answer.token.source, answer.token.accepted], [false, 'CARREL_TOKEN', null])
})

test('status shows a token that is refused and exits with 1', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const { exitCode, stdout } = await home.run(['status', '--token', 'wrong'], { server })
  assert.equal(exitCode, 1)
  assert.match(stdout, /^Token +from --token\n +The token is not valid$/m)
})
