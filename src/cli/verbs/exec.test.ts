import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { FakeFailure } from '../../../sdk/testing/fake-failure.ts'
import type { FakeProcess } from '../../../sdk/testing/fake-process.ts'
import { FakeServer } from '../../../sdk/testing/fake-server.ts'
import { CliHome, mainPath, resultOf } from '../testing/run-cli.ts'

const home = new CliHome()
after(() => home[Symbol.dispose]())

async function spawned(server: FakeServer): Promise<FakeProcess> {
  const [process] = await once(server, 'spawn')
  return process
}

test('one argument is a shell command; its output and exit code are passed on', async () => {
  await using server = await FakeServer.start()
  const { exitCode, stdout, stderr } = await home.run(['exec', 'echo out; echo err >&2; exit 3'], { server })
  assert.deepEqual([exitCode, stdout, stderr], [3, 'out\n', 'err\n'])
})

test('ppod exec accepts --lang as the document spells it', async () => {
  await using server = await FakeServer.start()
  const ppod = { server, name: 'ppod' } as const
  assert.equal((await home.run(['exec', 'echo "$0" | wc -l', '--lang', 'shell'], ppod)).stdout, '1\n')
  assert.equal((await home.run(['exec', 'print(6 * 7)', '--lang', 'python'], ppod)).stdout, '42\n')
  assert.equal((await home.run(['exec', '--lang=javascript', 'console.log(6 * 7)'], ppod)).stdout, '42\n')
})

test('several arguments are a program and its arguments, as they are', async () => {
  await using server = await FakeServer.start()
  const { stdout } = await home.run(['exec', '--', 'printf', '<%s>', 'a  b', '$HOME', '--x', ''], { server })
  assert.equal(stdout, '<a  b><$HOME><--x><>')
})

test('options end at the first word of a command', async () => {
  await using server = await FakeServer.start()
  const run = async (...args: string[]) => (await home.run(['exec', ...args], { server })).stdout
  assert.equal(
    await run('printf', '<%s>', '-la', '--json', '--', 'a b', '--session', 's'),
    '<-la><--json><--><a b><--session><s>',
  )
  assert.equal(await run('echo', 'a b'), 'a b\n')
  assert.equal(await run('echo a | wc -c'), '2\n')
  assert.equal(await run('--', 'echo', '-'), '-\n')
  assert.equal(await run('A=1', 'env'), '')
  assert.match(await run('--json', 'echo', '--json'), /"stdout":"--json\\n"/)
  // Code in one word may be followed by options, as in PaperPod's document.
  assert.match(await run('echo "$0"', '--json'), /^{/)
})

test('with ppod, options may follow any single word', async () => {
  await using server = await FakeServer.start()
  const run = async (...args: string[]) => (await home.run(['exec', ...args], { server, name: 'ppod' })).stdout
  assert.match(await run('true', '--json'), /^{"exitCode":0/)
  assert.equal(await run('echo', '-x', '--json'), '-x --json\n')
})

test('the exit code says what was wrong with the program, as in a shell', async () => {
  await using server = await FakeServer.start()
  const run = async (...words: string[]) => (await home.run(['exec', ...words], { server })).exitCode
  assert.deepEqual(
    [await run('no-such-program'), await run('no-such-program', '-x'), await run('/etc/passwd', '-x')],
    [127, 127, 126],
  )
})

test('folder, variables, user, session and time limit are sent with the command', async () => {
  await using server = await FakeServer.start()
  const options = [
    '--cwd',
    '/tmp',
    '--env',
    'A=1 2',
    '--env',
    'COPIED',
    '--user',
    'root',
    '--session',
    's',
    '--timeout',
    '60000',
  ]
  const env = { COPIED: 'from here' }
  const { stdout } = await home.run(['exec', 'pwd; echo "$A $COPIED"', ...options], { server, env })
  assert.equal(stdout, '/tmp\n1 2 from here\n')
  assert.deepEqual(server.execMessages[0], {
    type: 'start',
    command: 'pwd; echo "$A $COPIED"',
    language: 'shell',
    sessionId: 's',
    env: { A: '1 2', COPIED: 'from here' },
    cwd: '/tmp',
    user: 'root',
    stdin: true,
    timeoutMs: 60_000,
  })
})

test('stdin is passed on, byte for byte, up to its end', async () => {
  await using server = await FakeServer.start()
  const input = Buffer.alloc(
    2_000_003,
    Uint8Array.from({ length: 256 }, (_, index) => index),
  )
  const { exitCode, stdout } = await home.run(['exec', 'sha256sum'], { server, input })
  assert.deepEqual([exitCode, stdout], [0, `${createHash('sha256').update(input).digest('hex')}  -\n`])
})

test('exec does not wait for input after the command has ended', async () => {
  await using server = await FakeServer.start()
  const child = home.spawn(['exec', 'exit 5'], { server })
  const { exitCode } = await resultOf(child)
  assert.equal(exitCode, 5)
  child.stdin.destroy()
})

test('-n leaves stdin to the calling script', async () => {
  await using server = await FakeServer.start()
  const script = 'while read -r line; do "$0" "$1" exec -n "echo got $line"; done'
  const child = spawn('bash', ['-c', script, process.execPath, mainPath], { env: home.env({ server }) })
  child.stdin.end('one\ntwo\n')
  assert.equal((await resultOf(child)).stdout, 'got one\ngot two\n')
})

test('binary output arrives unchanged on both channels', async () => {
  await using server = await FakeServer.start()
  const { bytes, stderr } = await home.run(['exec', String.raw`printf '\000\377\200a'; printf é >&2`], { server })
  assert.deepEqual([...bytes], [0, 255, 128, 97])
  assert.equal(stderr, 'é')
})

test('a slow reader of large output loses nothing', async () => {
  await using server = await FakeServer.start()
  const command = 'seq 1 2000000'
  const child = spawn(
    'bash',
    ['-c', '"$0" "$1" exec "$2" < /dev/null | { sleep 0.5; sha256sum; }', process.execPath, mainPath, command],
    {
      env: home.env({ server }),
    },
  )
  const { stdout } = await resultOf(child)
  const [remote] = server.processes.values()
  assert.equal(remote?.bytes('stdout').length, 14_888_896)
  assert.equal(
    stdout,
    `${createHash('sha256')
      .update(remote?.bytes('stdout') ?? '')
      .digest('hex')}  -\n`,
  )
})

test('the command ends quietly when its reader has gone', async () => {
  await using server = await FakeServer.start()
  const script = '"$0" "$1" exec yes < /dev/null | head -1; echo "code ${PIPESTATUS[0]}"'
  const child = spawn('bash', ['-c', script, process.execPath, mainPath], { env: home.env({ server }) })
  const { stdout, stderr } = await resultOf(child)
  assert.deepEqual([stdout, stderr], ['y\ncode 141\n', ''])
  const [remote] = server.processes.values()
  await remote?.ended
  assert.equal(remote?.exit?.signal, 'SIGTERM')
})

test('output survives broken connections', async () => {
  await using server = await FakeServer.start()
  server.cutAfter(5, 1000, 20_000)
  const { exitCode, stdout } = await home.run(['exec', 'seq 1 20000; exit 9'], { server })
  const [remote] = server.processes.values()
  assert.ok(stdout === remote?.text('stdout'))
  assert.equal(exitCode, 9)
  assert.equal(server.execMessages.filter(({ type }) => type === 'attach').length, 3)
})

test('a command that a signal ended exits with 128 + n', async () => {
  await using server = await FakeServer.start()
  const { exitCode, stderr } = await home.run(['exec', 'kill -TERM $$'], { server })
  assert.deepEqual([exitCode, stderr], [143, ''])
})

test('a time limit exits with 124 and a message', async () => {
  await using server = await FakeServer.start()
  const { exitCode, stderr } = await home.run(['exec', 'sleep 60', '--timeout', '100'], { server })
  assert.deepEqual([exitCode, stderr], [124, 'carrel: The command was killed at its time limit of 100 ms\n'])
})

test('a lost command exits with 255 and the reason', async () => {
  await using server = await FakeServer.start()
  server.once('spawn', (process) => process.endAs({ exitCode: null, signal: null, reason: 'lost', truncated: false }))
  const { exitCode, stderr } = await home.run(['exec', 'sleep 60'], { server })
  assert.equal(exitCode, 255)
  assert.match(stderr, /The command was lost: how it ended is unknown/)
})

test('a refused start is reported with its code', async () => {
  await using server = await FakeServer.start()
  server.failNext('start', new FakeFailure(404, 'NOT_FOUND', 'No program "nope"'))
  const { exitCode, stderr } = await home.run(['exec', '--', 'nope', 'x'], { server })
  assert.equal(exitCode, 255)
  assert.match(stderr, /^carrel: No program "nope" \(NOT_FOUND\)/)
})

test('--json prints the result as one object and keeps the exit code', async () => {
  await using server = await FakeServer.start()
  const { exitCode, stdout } = await home.run(['exec', 'cat; printf "\\377" >&2; exit 4', '--json'], {
    server,
    input: 'in',
  })
  assert.equal(exitCode, 4)
  assert.deepEqual(JSON.parse(stdout), {
    exitCode: 4,
    signal: null,
    reason: 'exited',
    truncated: false,
    stdout: 'in',
    stderr: '\ufffd',
    stderrBase64: '/w==',
  })
})

test('Ctrl-C goes to the command, which chooses how to end', async () => {
  await using server = await FakeServer.start()
  const started = spawned(server)
  const child = home.spawn(['exec', 'trap "echo cleaned; exit 7" INT; echo ready; while :; do sleep 0.02; done'], {
    server,
  })
  const result = resultOf(child)
  await started
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  const { exitCode, stdout } = await result
  assert.equal(exitCode, 7)
  assert.match(stdout, /cleaned\n$/)
  assert.deepEqual(server.execMessages.at(-1), { type: 'signal', signal: 'SIGINT', scope: 'tree' })
})

test('the second Ctrl-C kills the command and exits with 130', async () => {
  await using server = await FakeServer.start()
  const started = spawned(server)
  const child = home.spawn(['exec', 'trap "" INT; echo ready; while :; do sleep 0.02; done'], { server })
  const result = resultOf(child)
  const remote = await started
  await once(child.stdout, 'data')
  const signalled = server.execMessage('signal')
  child.kill('SIGINT')
  await signalled
  child.kill('SIGINT')
  assert.equal((await result).exitCode, 130)
  await remote.ended
  assert.equal(remote.exit?.signal, 'SIGKILL')
})

test('SIGTERM ends the command too', async () => {
  await using server = await FakeServer.start()
  const started = spawned(server)
  const child = home.spawn(['exec', 'echo ready; exec sleep 60'], { server })
  const result = resultOf(child)
  const remote = await started
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  assert.equal((await result).exitCode, 143)
  assert.equal(remote.exit?.signal, 'SIGTERM')
})

test('Ctrl-C ends the wait for a server that does not start the command', async () => {
  await using server = await FakeServer.start()
  server.failNext('start', 'silence')
  const asked = server.execMessage('start')
  const child = home.spawn(['exec', 'true'], { server })
  const result = resultOf(child)
  await asked
  child.kill('SIGINT')
  const { exitCode, stderr } = await result
  assert.deepEqual([exitCode, stderr], [130, ''])
})
