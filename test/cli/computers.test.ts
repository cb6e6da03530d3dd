import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { CliHome } from '../../src/cli/testing/run-cli.ts'
import { TestApp } from '../support/test-app.ts'

describe('carrel computers', { timeout: 120_000 }, () => {
  let server: TestApp
  const home = new CliHome()
  before(async () => {
    server = await TestApp.start({ env: { CARREL_MEMORY_OVERCOMMIT: '100', CARREL_DISK_OVERCOMMIT: '100' } })
  })
  after(async () => {
    home[Symbol.dispose]()
    await server.stop()
  })

  const run = (...args: string[]) =>
    home.run(['computers', ...args], { env: { CARREL_URL: server.url, CARREL_TOKEN: server.token } })
  const output = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await run(...args)
    assert.equal(exitCode, 0, stderr)
    return stdout
  }

  test('creates, shows, stops, starts, renames and deletes them', async () => {
    const none = await run()
    assert.deepEqual([none.exitCode, none.stdout], [0, ''])
    assert.match(none.stderr, /no computer yet: "carrel computers create" makes one/)
    assert.equal(await output('create', 'build', '--size', 'ram-4g', '--name', 'Builds'), 'build\n')
    assert.match(await output('create'), /^[a-z]+-[a-z]+-\d{4}\n$/)
    const [titles, line] = (await output()).split('\n')
    assert.match(titles!, /^HANDLE +STATE +MEMORY +STORAGE +CREATED$/)
    assert.match(line!, /^build +running +4\.0 GiB +10\.0 GiB +\d{4}-/)
    assert.match(await output('ls', '--long'), /^build .* Builds$/m)
    assert.equal(await output('exec', 'build', '--', 'sh', '-c', 'echo kept > file'), '')
    assert.equal(await output('stop', 'build'), 'build is stopped\n')
    assert.equal(await output('start', 'build'), 'build is running\n')
    assert.equal(await output('restart', 'build'), 'build is running\n')
    assert.equal(await output('exec', 'build', '--', 'cat', 'file'), 'kept\n')
    assert.match(await output('rename', 'build', 'builder'), /^It is builder \(Builds\) now$/m)
    const { computers } = JSON.parse(await output('get', 'builder', '--json'))
    assert.deepEqual([computers[0].handle, computers[0].requested_memory_mib], ['builder', 4096])
    assert.match(await output('get', 'builder'), /^Size +4\.0 GiB memory, 10\.0 GiB storage \(ram-4g\)$/m)
    assert.match(await output('usage', 'builder'), /^builder +0\.00 h /m)
    assert.equal(await output('rm', '--yes', 'builder'), 'builder is deleted\n')
    assert.equal((await run('get', 'builder')).exitCode, 1)
  })

  test('says what is wrong before anything is done', async () => {
    const wrong: [string[], number, RegExp][] = [
      [['create', 'big', '--memory', '6G'], 2, /needs both --memory and --storage/],
      [['create', 'big', '--memory', '6Q', '--storage', '20G'], 2, /has to be a size such as 6G/],
      [['create', 'big', '--size', 'ram-4g', '--memory', '6G', '--storage', '20G'], 2, /together/],
      [['create', 'Big!'], 1, /handle/],
      [['create', 'big', '--size', 'ram-3g'], 1, /ram-3g/],
      [['get', 'nobody'], 1, /nobody/],
      [['rm', '--yes', 'nobody'], 1, /nobody/],
      [['stop'], 2, /The command is "carrel computers stop <computer>"/],
      [['exec', 'nobody'], 2, /<computer> -- <command>/],
    ]
    for (const [args, exitCode, message] of wrong) {
      const result = await run(...args)
      assert.deepEqual([result.exitCode, result.stdout], [exitCode, ''], args.join(' '))
      assert.match(result.stderr, message, args.join(' '))
    }
    assert.ok(!(await output()).includes('big'))
  })
})
