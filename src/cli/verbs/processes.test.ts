import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { FakeServer } from '../../../sdk/testing/fake-server.ts'
import { CliHome } from '../testing/run-cli.ts'

const home = new CliHome()
after(() => home[Symbol.dispose]())

test('start prints the id alone on stdout and hints on stderr; ps shows it; kill ends it', async () => {
  await using server = await FakeServer.start()
  const started = await home.run(['start', 'sleep 60'], { server })
  assert.deepEqual([started.exitCode, started.stdout], [0, 'proc-1\n'])
  assert.match(started.stderr, /^ {2}carrel expose <port> .*\n {2}carrel ps .*\n {2}carrel kill proc-1 .*\n$/)
  const running = await home.run(['ps'], { server })
  assert.match(
    running.stdout,
    /^ID +PID +STATUS +EXIT +STARTED +COMMAND\nproc-1 +\d+ +running +- +\S+ \S+ +sleep 60\n$/,
  )
  const killed = await home.run(['kill', 'proc-1', '--signal', 'int'], { server })
  assert.deepEqual([killed.exitCode, killed.stdout], [0, 'Killed proc-1\n'])
  assert.equal(server.processes.get('proc-1')?.exit?.signal, 'SIGINT')
  assert.match((await home.run(['ps'], { server })).stdout, /proc-1 +\d+ +killed +130 /)
})

test('a process from start has no time limit unless one is given', async () => {
  await using server = await FakeServer.start()
  await home.run(['start', 'true'], { server })
  await home.run(['start', '--timeout', '5000', '--id', 'mine', 'true'], { server })
  assert.equal(server.processes.get('proc-1')?.request.timeoutMs, undefined)
  assert.equal(server.processes.get('mine')?.request.timeoutMs, 5000)
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

test('expose prints the address', async () => {
  await using server = await FakeServer.start()
  const { stdout } = await home.run(['expose', '8080'], { server })
  assert.equal(stdout, 'http://8080-abc-p8080_v1.preview.test\n')
})
