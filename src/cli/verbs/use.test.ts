import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { FakeServer } from '../../../sdk/testing/fake-server.ts'
import { CliHome, type CliOptions } from '../testing/run-cli.ts'

/** The sandbox that a command uses, and the reason that "status" gives. */
async function chosen(server: FakeServer, home: CliHome, args: string[] = [], more: CliOptions = {}) {
  server.requests.length = 0
  await home.run(['ps', ...args], { server, ...more })
  const { sessionId } = server.requests[0]!.body as { sessionId?: string }
  const { stdout } = await home.run(['status', ...args, '--json'], { server, ...more })
  const { sandbox } = JSON.parse(stdout)
  assert.equal(sandbox.sessionId, sessionId ?? 'default')
  return [sessionId, sandbox.source]
}

test('an option takes precedence over the variable, this over "use", and that over the default sandbox', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  assert.deepEqual(await chosen(server, home), [undefined, null])
  const used = await home.run(['use', 'build'], { server })
  assert.deepEqual([used.exitCode, used.stdout], [0, 'Sandbox: build ("use", saved in ~/.carrel/config.json)\n'])
  const saved = '~/.carrel/config.json'
  assert.deepEqual(await chosen(server, home), ['build', saved])
  assert.deepEqual(await chosen(server, home, [], { name: 'ppod' }), ['build', saved])
  const env = { CARREL_SESSION: 'variable' }
  assert.deepEqual(await chosen(server, home, [], { env }), ['variable', 'CARREL_SESSION'])
  assert.deepEqual(await chosen(server, home, ['--session', 'option'], { env }), ['option', '--session'])
  assert.match((await home.run(['status'], { server })).stdout, /^Sandbox +build \("use", saved in ~.*\), 0 of 0/m)
  assert.match(
    (await home.run(['use', 'other'], { server, env })).stderr,
    /CARREL_SESSION takes precedence over "other"/,
  )
  assert.match(
    (await home.run(['use', 'default'], { server, env })).stderr,
    /CARREL_SESSION takes precedence over the default sandbox/,
  )
})

test('"use -", "use default" and "use --unset" return to the default sandbox, and "use" alone changes nothing', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  for (const args of [['-'], ['default'], ['--unset']]) {
    await home.run(['use', 'build'], { server })
    assert.match((await home.run(['use'], { server })).stdout, /^Sandbox: build /)
    assert.equal((await home.run(['use', ...args], { server })).stdout, 'Sandbox: (default)\n')
    assert.deepEqual(await chosen(server, home), [undefined, null])
  }
  const { exitCode, stderr } = await home.run(['use', 'a\tb'], { server })
  assert.equal(exitCode, 2)
  assert.match(stderr, /Cannot use "a\\x09b" as a sandbox/)
})

test('the choice counts for its server alone, and leaves the saved token as it is', async () => {
  await using server = await FakeServer.start()
  await using other = await FakeServer.start()
  using home = new CliHome()
  await home.run(['login', server.token, '--url', server.url])
  await home.run(['use', 'build'])
  assert.deepEqual(await chosen(other, home), [undefined, null])
  const { token, session } = JSON.parse(readFileSync(join(home.path, '.carrel/config.json'), 'utf8'))
  assert.deepEqual([token, session], [server.token, 'build'])
})
