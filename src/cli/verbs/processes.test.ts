import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { StandIn } from '../../../sdk/testing/stand-in-server.ts'
import { CliHome } from '../testing/run-cli.ts'

const home = new CliHome()
after(() => home[Symbol.dispose]())

test('start prints the id alone on stdout and hints on stderr; ps shows it; kill ends it', async () => {
  await using standIn = await StandIn.start()
  const started = await home.run(['start', 'sleep 60'], { standIn })
  assert.deepEqual([started.exitCode, started.stdout], [0, 'proc-1\n'])
  assert.match(started.stderr, /^ {2}carrel expose <port> .*\n {2}carrel ps .*\n {2}carrel kill proc-1 .*\n$/)
  const running = await home.run(['ps'], { standIn })
  assert.match(
    running.stdout,
    /^ID +PID +STATUS +EXIT +STARTED +COMMAND\nproc-1 +\d+ +running +- +\S+ \S+ +sleep 60\n$/,
  )
  const killed = await home.run(['kill', 'proc-1', '--signal', 'int'], { standIn })
  assert.deepEqual([killed.exitCode, killed.stdout], [0, 'Killed proc-1\n'])
  assert.equal(standIn.processes.get('proc-1')?.exit?.signal, 'SIGINT')
  assert.match((await home.run(['ps'], { standIn })).stdout, /proc-1 +\d+ +killed +130 /)
})

test('a process that start started has no time limit unless one is given', async () => {
  await using standIn = await StandIn.start()
  await home.run(['start', 'true'], { standIn })
  await home.run(['start', 'true', '--timeout', '5000', '--id', 'mine'], { standIn })
  assert.equal(standIn.processes.get('proc-1')?.request.timeoutMs, undefined)
  assert.equal(standIn.processes.get('mine')?.request.timeoutMs, 5000)
})

test('start passes several words to the shell as they were typed', async () => {
  await using standIn = await StandIn.start()
  await home.run(['start', '--', 'printf', '<%s>', 'a  b', "it's", '$HOME', ''], { standIn })
  const process = standIn.processes.get('proc-1')
  await process?.ended
  assert.equal(process?.text('stdout'), "<a  b><it's><$HOME><>")
})

test('start sends folder, variables and session', async () => {
  await using standIn = await StandIn.start()
  await home.run(['start', 'true', '--cwd', '/tmp', '--env', 'A=1', '--env', 'B=x=y', '--session', 's'], { standIn })
  assert.deepEqual(standIn.requestsTo('/process/start')[0]?.body, {
    command: 'true',
    env: { A: '1', B: 'x=y' },
    cwd: '/tmp',
    timeout: 0,
    sessionId: 's',
  })
})

test('start, ps, kill and expose speak JSON', async () => {
  await using standIn = await StandIn.start()
  const json = async (...args: string[]) => JSON.parse((await home.run([...args, '--json'], { standIn })).stdout)
  assert.equal((await json('start', 'sleep 60')).processId, 'proc-1')
  assert.equal((await json('ps')).processes[0].status, 'running')
  assert.equal((await json('kill', 'proc-1')).process.status, 'killed')
  assert.equal((await json('expose', '8080')).port, 8080)
})

test('expose prints the address', async () => {
  await using standIn = await StandIn.start()
  const { stdout } = await home.run(['expose', '8080'], { standIn })
  assert.equal(stdout, 'http://8080-abc-p8080_v1.preview.test\n')
})
