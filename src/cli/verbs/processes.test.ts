import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fakeSandbox } from '../../../sdk/testing/fake-sandboxes.ts'
import { FakeServer } from '../../../sdk/testing/fake-server.ts'
import { CliHome, resultOf } from '../testing/run-cli.ts'

const home = new CliHome()
after(() => home[Symbol.dispose]())

test('start prints the id alone on stdout and hints on stderr; ps shows it; kill ends it', async () => {
  await using server = await FakeServer.start()
  const started = await home.run(['start', 'sleep 60'], { server })
  assert.deepEqual([started.exitCode, started.stdout], [0, 'proc-1\n'])
  assert.match(
    started.stderr,
    /^ {2}carrel expose <port> .*\n {2}carrel logs proc-1 .*\n {2}carrel ps .*\n {2}carrel kill proc-1 .*\n$/,
  )
  const running = await home.run(['ps'], { server })
  assert.match(
    running.stdout,
    /^ID +PID +STATUS +EXIT +STARTED +COMMAND\nproc-1 +\d+ +running +- +\S+ \S+ +sleep 60\n$/,
  )
  const killed = await home.run(['kill', 'proc-1', '--signal', 'int'], { server })
  assert.deepEqual([killed.exitCode, killed.stdout], [0, 'Killed proc-1\n'])
  assert.equal(server.processes.get('proc-1')?.exit?.signal, 'SIGINT')
  assert.match((await home.run(['ps'], { server })).stdout, /proc-1 +\d+ +killed +130 /)
  await home.run(['start', '--id', 'short', 'exit 3'], { server })
  await server.processes.get('short')?.ended
  for (const [id, end] of [
    ['short', 'exit code 3'],
    ['proc-1', 'SIGINT'],
  ] as const)
    assert.equal((await home.run(['kill', id], { server })).stdout, `${id} had ended already (${end})\n`)
})

test('a process from start has no time limit unless one is given', async () => {
  await using server = await FakeServer.start()
  await home.run(['start', 'true'], { server })
  await home.run(['start', '--timeout', '5000', '--id', 'mine', 'true'], { server })
  await home.run(['start', '--timeout', '0', '--id', 'endless', 'true'], { server })
  assert.equal(server.processes.get('proc-1')?.request.timeoutMs, undefined)
  assert.equal(server.processes.get('mine')?.request.timeoutMs, 5000)
  assert.equal(server.processes.get('endless')?.request.timeoutMs, undefined)
  assert.equal((await home.run(['ps', '--timeout', '0'], { server })).exitCode, 0)
})

test('start passes several words to the shell as typed', async () => {
  await using server = await FakeServer.start()
  await home.run(['start', 'printf', '<%s>', '-n', 'a  b', "it's", '$HOME', ''], { server })
  const process = server.processes.get('proc-1')
  await process?.ended
  assert.equal(process?.text('stdout'), "<-n><a  b><it's><$HOME><>")
})

test('start sends folder, variables and session', async () => {
  await using server = await FakeServer.start()
  await home.run(['start', '--cwd', '/tmp', '--env', 'A=1', '--env', 'B=x=y', '--session', 's', 'true'], { server })
  assert.deepEqual(server.requestsTo('/process/start')[0]?.body, {
    command: 'true',
    env: { A: '1', B: 'x=y' },
    cwd: '/tmp',
    timeout: 0,
    sessionId: 's',
  })
})

test('start, ps, kill and expose speak JSON', async () => {
  await using server = await FakeServer.start()
  const json = async (...args: string[]) => JSON.parse((await home.run([...args, '--json'], { server })).stdout)
  assert.equal((await json('start', 'sleep 60')).processId, 'proc-1')
  assert.equal((await json('ps')).processes[0].status, 'running')
  assert.equal((await json('kill', 'proc-1')).process.status, 'killed')
  assert.equal((await json('expose', '8080')).port, 8080)
})

test('expose prints the address, and says on stderr that nothing listens on the port', async () => {
  await using server = await FakeServer.start()
  const address = 'http://8080-abc-p8080_v1.preview.test\n'
  const unknown = await home.run(['expose', '8080'], { server })
  assert.deepEqual([unknown.exitCode, unknown.stdout, unknown.stderr], [0, address, ''])
  server.sandboxes.push(
    fakeSandbox('dead', { ports: [{ port: 8080, exposed: true, listening: false }] }),
    fakeSandbox('', { ports: [{ port: 8080, exposed: true, listening: true }] }),
  )
  assert.equal((await home.run(['expose', '8080'], { server })).stderr, '')
  const dead = await home.run(['expose', '8080'], { server, env: { CARREL_SESSION: 'dead' } })
  assert.deepEqual([dead.exitCode, dead.stdout], [0, address])
  assert.equal(dead.stderr, 'carrel: nothing listens on port 8080 yet; the address answers once something does\n')
  const json = await home.run(['expose', '8080', '--json', '--session', 'dead'], { server })
  assert.deepEqual([JSON.parse(json.stdout).port, json.stderr], [8080, ''])
})

test('logs shows what a process has printed, on both channels, or the last lines of it', async () => {
  await using server = await FakeServer.start()
  await home.run(['start', '--id', 'web', 'echo one; echo two; printf three >&2; exec sleep 60'], { server })
  const process = server.processes.get('web')!
  while (process.size < 13) await once(process, 'grew')
  const logs = (...args: string[]) => home.run(['logs', ...args], { server })
  const whole = await logs('web')
  assert.deepEqual([whole.exitCode, whole.stdout, whole.stderr], [0, 'one\ntwo\n', 'three'])
  const tail = await logs('--tail', '2', 'web')
  assert.equal(tail.stdout + tail.stderr, process.text('stderr').length > 0 ? 'two\nthree' : '')
  assert.deepEqual(JSON.parse((await logs('web', '--json', '--tail', '0')).stdout), {
    processId: 'web',
    stdout: '',
    stderr: '',
  })
  assert.deepEqual(JSON.parse((await logs('web', '--json')).stdout), {
    processId: 'web',
    stdout: 'one\ntwo\n',
    stderr: 'three',
  })
  process.kill('SIGKILL', 'tree')
  await process.ended
  assert.equal((await logs('web')).stdout, 'one\ntwo\n')
  const unknown = await logs('none')
  assert.deepEqual([unknown.exitCode, unknown.stdout], [1, ''])
  assert.match(unknown.stderr, /"carrel ps" lists the processes/)
  assert.equal((await logs('-f', '--json', 'web')).exitCode, 2)
})

test('logs -f goes on to the end of the process and exits with 0', async () => {
  await using server = await FakeServer.start()
  const command = 'echo one; echo two; while [ ! -e "$FLAG" ]; do sleep 0.05; done; echo three; exit 7'
  const flag = join(home.path, 'flag')
  await home.run(['start', '--id', 'slow', `FLAG=${flag}; ${command}`], { server })
  const child = home.spawn(['logs', '-f', '--tail', '1', 'slow'], { server })
  const result = resultOf(child)
  const [first] = (await once(child.stdout, 'data')) as [Buffer]
  assert.match(first.toString(), /^(one\n)?two\n$|^one\n$/)
  writeFileSync(flag, '')
  const { exitCode, stdout } = await result
  assert.equal(exitCode, 0)
  assert.match(stdout, /three\n$/)
})

test('attach shows what comes, passes Ctrl-C on, and exits with the code of the process', async () => {
  await using server = await FakeServer.start()
  const command = 'echo before; trap "echo caught; exit 9" INT; while :; do echo tick; sleep 0.05; done'
  await home.run(['start', '--id', 'trap', command], { server })
  const child = home.spawn(['attach', '-n', 'trap'], { server })
  const result = resultOf(child)
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  const { exitCode, stdout } = await result
  assert.equal(exitCode, 9)
  assert.match(stdout, /^(tick\n)+caught\n$/)
  const ended = await home.run(['attach', 'trap'], { server })
  assert.equal(ended.exitCode, 1)
  assert.match(ended.stderr, /it has ended; "carrel logs trap" shows its output/)
})
