import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fakeComputer, fakeOperation } from '../../../sdk/testing/fake-computers.ts'
import { FakeServer } from '../../../sdk/testing/fake-server.ts'
import { CliHome } from '../testing/run-cli.ts'

/** A server with a computer, and a user of it whose PATH begins with a folder for programs of their own. */
async function start() {
  const server = await FakeServer.start()
  const home = new CliHome()
  server.computers.push(fakeComputer('build'))
  const open = (args: string[], env: Record<string, string> = {}) =>
    home.run(['computers', 'open', 'build', ...args], {
      server,
      env: { PATH: `${home.path}:${process.env['PATH']}`, ...env },
    })
  return {
    server,
    open,
    /** What the browser was called with. */
    opened: () => readFileSync(join(home.path, 'opened'), 'utf8'),
    installBrowser: (exitCode: number) =>
      writeFileSync(join(home.path, 'xdg-open'), `#!/bin/sh\necho "$1" >>'${home.path}/opened'\nexit ${exitCode}\n`, {
        mode: 0o755,
      }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      home[Symbol.dispose]()
    },
  }
}

test('open prints the link where there is no display or no browser, and with --print', async () => {
  await using user = await start()
  const display = { DISPLAY: ':9' }
  user.installBrowser(3)
  for (const [args, env, path] of [
    [[], {}, '?access_token=pp_access_1'],
    [['--vnc'], {}, 'desktop?access_token=pp_access_2'],
    [['--print'], display, '?access_token=pp_access_3'],
    [[], display, '?access_token=pp_access_4'],
  ] as const) {
    const { exitCode, stdout } = await user.open([...args], env)
    assert.deepEqual([exitCode, stdout], [0, `http://build.computers.test/${path}\n`])
  }
  assert.equal(user.opened(), 'http://build.computers.test/?access_token=pp_access_4\n')
  const { session } = JSON.parse((await user.open(['--json'], display)).stdout)
  assert.equal(session.connect_token, 'pp_access_5')
})

test('open opens the browser where there is a display', { skip: process.platform !== 'linux' }, async () => {
  await using user = await start()
  user.installBrowser(0)
  const { exitCode, stdout, stderr } = await user.open([], { WAYLAND_DISPLAY: 'wayland-0' })
  assert.deepEqual([exitCode, stdout, stderr], [0, '', 'build is opened in the browser\n'])
  assert.equal(user.opened(), 'http://build.computers.test/?access_token=pp_access_1\n')
})

test('open passes nothing but an address of the web to the browser', async () => {
  await using user = await start()
  user.installBrowser(0)
  user.server.computerOrigin = 'file:///etc'
  const { exitCode, stderr } = await user.open([], { DISPLAY: ':9' })
  assert.equal(exitCode, 1)
  assert.match(stderr, /it is no address of a web page/)
  assert.throws(user.opened, /ENOENT/)
})

test('while the computer starts, its progress is shown, a line for each tenth', async () => {
  await using user = await start()
  const progress_message = 'unpacking the image'
  user.server.operationStates.push(
    fakeOperation(),
    fakeOperation({ progress: 0.51, progress_message }),
    fakeOperation({ progress: 0.52, progress_message }),
    fakeOperation({ progress: 0.7, progress_message: 'starting' }),
    fakeOperation({ status: 'succeeded', progress: 1 }),
  )
  const { exitCode, stderr } = await user.open([], { CARREL_PROGRESS_AFTER_MS: '0' })
  assert.equal(exitCode, 0)
  assert.equal(
    stderr.replaceAll(/\d+ s/g, 'n s'),
    'start computer: n s\nstart computer: 51%, n s, unpacking the image\nstart computer: 70%, n s, starting\n',
  )
  user.server.operationStates.push(fakeOperation(), fakeOperation({ status: 'failed', error_message: 'No room' }))
  const failed = await user.open([])
  assert.deepEqual([failed.exitCode, failed.stdout, failed.stderr], [1, '', 'carrel: No room\n'])
})
