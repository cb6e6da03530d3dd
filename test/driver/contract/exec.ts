import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { ended, smallLimits, stdoutWith, type Part } from '../subject.ts'
import { settles } from '../../support/settles.ts'

const MiB = 1024 * 1024

export const describeExec: Part = (subject) => {
  let id: string
  before(async () => {
    id = await subject().computer()
  })

  test('exec() passes every argument unchanged', async () => {
    const argv = ['a b', '', '$HOME', '"quoted"', "it's", 'line\nbreak', '*', 'ü☃😀', '-n', '\\']
    const { stdout } = await subject().run(id, ['bash', '-c', String.raw`printf '%s\0' "$@"`, 'bash', ...argv])
    assert.deepEqual(stdout.split('\0'), [...argv, ''])
  })

  test('exec() passes the environment unchanged, and adds HOME, USER, LOGNAME and SHELL', async () => {
    const own = { EMPTY: '', SPACED: ' a  b ', LINES: 'x\ny', UNICODE: 'ü😀', EQUALS: 'a=b=c' }
    const env = { ...subject().image.env, ...own }
    const { stdout } = await subject().run(id, ['env', '-0'], { env })
    const variables = stdout.split('\0').map((line) => line.split(/=(.*)/s).slice(0, 2))
    const seen = Object.fromEntries(variables) as Record<string, string>
    for (const [name, value] of Object.entries(env)) assert.equal(seen[name], value, name)
    assert.deepEqual([seen.HOME, seen.USER, seen.LOGNAME, seen.SHELL], ['/home/node', 'node', 'node', '/bin/bash'])
    const changed = await subject().shell(id, 'echo $HOME', { env: { ...env, HOME: '/tmp' } })
    assert.equal(changed.stdout, '/tmp\n')
  })

  test('exec() runs in the requested directory', async () => {
    assert.equal((await subject().shell(id, 'pwd', { cwd: '/usr/bin' })).stdout, '/usr/bin\n')
    for (const cwd of ['/nothing', '/etc/passwd'])
      await assert.rejects(subject().shell(id, 'pwd', { cwd }), { code: 'not_found' }, cwd)
  })

  test('exec() runs as a user by name or number, with an optional group', async () => {
    const who = async (user: string) => (await subject().shell(id, 'id -u; id -g', { user })).stdout.split('\n')
    assert.deepEqual(await who('node'), ['1000', '1000', ''])
    assert.deepEqual(await who('1000'), ['1000', '1000', ''])
    assert.deepEqual(await who('root'), ['0', '0', ''])
    assert.deepEqual(await who('node:root'), ['1000', '0', ''])
    assert.deepEqual(await who('4321'), ['4321', '4321', ''])
    assert.deepEqual(await who('4321:1234'), ['4321', '1234', ''])
    for (const user of ['nobody-knows', 'node:nothing', '', '-1', '1e3', '70000', '99999999999'])
      await assert.rejects(who(user), { code: 'not_found' }, user)
  })

  test('exec() of a program that is missing or not executable throws not_found', async () => {
    const missing = [['nothing-like-this'], ['/usr/bin/nothing'], ['/etc/passwd'], ['/usr/bin'], ['']]
    for (const argv of missing) await assert.rejects(subject().run(id, argv), { code: 'not_found' }, argv[0])
  })

  test('exec() looks the program up in the given PATH', async () => {
    await subject().shell(
      id,
      'mkdir -p /tmp/own && printf "#!/bin/sh\\necho mine\\n" > /tmp/own/tool && chmod +x /tmp/own/tool',
    )
    assert.equal((await subject().run(id, ['tool'], { env: { PATH: '/tmp/own' } })).stdout, 'mine\n')
    await assert.rejects(subject().run(id, ['tool']), { code: 'not_found' })
  })

  test('exec() refuses arguments that the kernel cannot take, with a reason', async () => {
    await assert.rejects(subject().run(id, ['echo', 'a\0b']), { code: 'invalid_request' })
    await assert.rejects(subject().run(id, ['echo', 'x'.repeat(128 * 1024)]), { code: 'too_large' })
    const env = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`V${index}`, 'x'.repeat(100_000)]))
    await assert.rejects(subject().run(id, ['true'], { env }), { code: 'too_large' })
    const longest = await subject().run(id, ['bash', '-c', 'echo ${#1}', 'bash', 'x'.repeat(131_000)])
    assert.equal(longest.stdout, '131000\n')
  })

  test('an exit code is reported unchanged', async () => {
    const codes = [0, 1, 2, 63, 126, 127, 128, 130, 137, 143, 254, 255]
    const exits = await Promise.all(codes.map((code) => subject().shell(id, `exit ${code}`)))
    for (const [index, { exit }] of exits.entries())
      assert.deepEqual([exit.reason, exit.exitCode, exit.signal], ['exited', codes[index], null])
  })

  test('a signal is distinguished from an exit code that looks like one', async () => {
    const signals = { SIGKILL: 9, SIGTERM: 15, SIGSEGV: 11, SIGABRT: 6, SIGHUP: 1, SIGUSR1: 10 }
    const names = Object.keys(signals) as (keyof typeof signals)[]
    const exits = await Promise.all(names.map((name) => subject().shell(id, `kill -${name.slice(3)} $$`)))
    for (const [index, { exit }] of exits.entries()) {
      const name = names[index]!
      assert.deepEqual([exit.reason, exit.exitCode, exit.signal], ['signalled', 128 + signals[name], name])
    }
  })

  test('kill() sends any signal to the process', async () => {
    const process = await subject().exec(id, [
      'bash',
      '-c',
      'trap "echo got; exit 7" USR1; echo ready; while :; do sleep 0.02; done',
    ])
    await stdoutWith(process, 'ready')
    await process.kill('SIGUSR1', 'process')
    const { exit, stdout } = await ended(process)
    assert.deepEqual([exit.exitCode, stdout], [7, 'ready\ngot\n'])
    await process.kill('SIGKILL', 'tree')
  })

  test('the end of a process is reported at once, with its times', async () => {
    const before = Date.now()
    const process = await subject().exec(id, ['true'])
    const exit = await settles(process.wait(), 'wait()')
    assert.equal(process.exit, exit)
    assert.ok(process.startedAtMs >= before && exit.endedAtMs >= process.startedAtMs && exit.endedAtMs <= Date.now())
    assert.ok(process.pid > 1)
    assert.deepEqual([exit.outputBytes, exit.truncated], [0, false])
  })

  test('a program that fails on a full disk ends with that reason; freed space can be used again', async (t) => {
    if (!subject().driver.capabilities.diskQuota) return t.skip('no disk limits here')
    const own = await subject().computer(t, { limits: { ...smallLimits, diskBytes: 64 * MiB } })
    const fill = 'head -c 100M /dev/zero > /workspace/fill && sync'
    const { exit, stderr } = await subject().shell(own, fill)
    assert.match(stderr, /No space left|quota exceeded/i)
    assert.equal(exit.reason, 'disk_full')
    assert.equal((await subject().shell(own, 'exit 0')).exit.reason, 'exited')
    const after = await subject().shell(own, 'rm /workspace/fill && sync && echo hello > /workspace/new && exit 5')
    assert.deepEqual([after.exit.exitCode, after.stderr], [5, ''])
  })

  test('pid is the process id inside the computer, even of a process that ends at once', async () => {
    const shell = await subject().exec(id, ['bash', '-c', 'echo $$'])
    assert.equal((await ended(shell)).stdout, `${shell.pid}\n`)
    const short = await Promise.all(Array.from({ length: 20 }, () => subject().exec(id, ['true'])))
    const exits = await Promise.all(short.map((process) => process.wait()))
    assert.deepEqual(new Set(exits.map(({ exitCode }) => exitCode)), new Set([0]))
    assert.equal(new Set(short.map(({ pid }) => pid)).size, short.length)
    assert.ok(
      short.every(({ pid }) => pid > 1 && pid < 10_000),
      'some have no id of the computer',
    )
  })
}
