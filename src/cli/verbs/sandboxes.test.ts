import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fakeSandbox } from '../../../sdk/testing/fake-sandboxes.ts'
import { FakeServer } from '../../../sdk/testing/fake-server.ts'
import { CliHome } from '../testing/run-cli.ts'

const home = new CliHome()
after(() => home[Symbol.dispose]())

test('sandboxes lists all of them, with a * at the one that commands use', async () => {
  await using server = await FakeServer.start()
  const none = await home.run(['sandboxes'], { server })
  assert.deepEqual([none.exitCode, none.stdout], [0, ''])
  assert.match(none.stderr, /no sandbox yet/)
  const ports = [
    { port: 3999, exposed: false, listening: true },
    { port: 8080, exposed: true, listening: true },
  ]
  const stopped = { state: 'stopped', processes: 0, idle_seconds: null, disk_bytes: null }
  server.sandboxes.push(fakeSandbox(''), fakeSandbox('build', { processes: 2, ports }), fakeSandbox('old', stopped))
  const { stdout } = await home.run(['sandboxes', '--session', 'build'], { server })
  assert.equal(
    stdout,
    `   NAME       STATE    SINCE              IDLE  PROCESSES     DISK  PORTS
   (default)  running  2026-01-26 14:05  1 min          0  1.0 KiB  -
*  build      running  2026-01-26 14:05  1 min          2  1.0 KiB  [3999],8080
   old        stopped  2026-01-26 14:05      -          0        -  -
`,
  )
  const { sandboxes } = JSON.parse((await home.run(['sandboxes', 'ls', '--json'], { server })).stdout)
  assert.deepEqual(sandboxes, server.sandboxes)
})

test('sandboxes stop and rm do that by name, all or none', async () => {
  await using server = await FakeServer.start()
  server.sandboxes.push(fakeSandbox(''), fakeSandbox('build'))
  const run = (...args: string[]) => home.run(['sandboxes', ...args], { server })
  const wrong = await run('stop', 'build', 'buidl')
  assert.equal(wrong.exitCode, 1)
  assert.match(wrong.stderr, /Cannot find sandbox "buidl": "carrel sandboxes" lists yours/)
  assert.equal(server.sandboxes[1]!.state, 'running')
  assert.equal((await run('stop', 'build')).stdout, 'Stopped "build"; its files are deleted\n')
  assert.equal(server.sandboxes[1]!.state, 'stopped')
  assert.equal((await run('rm', 'default', 'build')).stdout, 'Deleted the default sandbox\nDeleted "build"\n')
  assert.equal(server.sandboxes.length, 0)
  server.sandboxes.push(fakeSandbox(''), fakeSandbox('default'))
  assert.equal((await run('rm', 'default')).stdout, 'Deleted "default"\n')
  assert.equal((await run('rm', '(default)')).stdout, 'Deleted the default sandbox\n')
  for (const args of [['rm'], ['stop'], ['ls', 'build']]) assert.equal((await run(...args)).exitCode, 2)
})

test('mkdir and rm work in the folder of the sandbox, and say what was wrong', async () => {
  await using server = await FakeServer.start()
  const at = (path: string) => join(home.path, path)
  const run = (...args: string[]) => home.run([...args, '--cwd', home.path], { server })
  const missing = await run('mkdir', 'a/b')
  assert.equal(missing.exitCode, 1)
  assert.match(
    missing.stderr,
    /^carrel: Cannot create directory "a\/b": a folder above it does not exist; -p creates missing ones\n$/,
  )
  assert.equal((await run('mkdir', '-p', 'a/b', '-x y')).exitCode, 2)
  assert.equal((await run('mkdir', '-p', 'a/b', "it's")).stdout, "Created a/b\nCreated it's\n")
  assert.ok(existsSync(at("it's")) && existsSync(at('a/b')))
  assert.match(
    (await run('rm', 'a', 'none')).stderr,
    /^carrel: Cannot remove "a": it is a folder; -r deletes folders with everything in them \(and 1 more\)\n$/,
  )
  const forced = await run('rm', '-rf', 'none', 'a')
  assert.deepEqual([forced.exitCode, forced.stdout], [0, 'Deleted a\n'])
  assert.deepEqual(JSON.parse((await run('rm', '-f', '--json', 'none')).stdout), { deleted: [] })
  assert.match((await run('rm', '-f', '.')).stderr, /^carrel: Cannot remove "\.": it is a folder; -r /)
  assert.deepEqual(
    [existsSync(at('a')), JSON.parse((await run('rm', '--json', '-r', "it's")).stdout)],
    [false, { deleted: ["it's"] }],
  )
})
