import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { text } from 'node:stream/consumers'
import { readOpenFiles } from '../support/open-files.ts'
import {
  newSession,
  serverEnvironment,
  serverProgram,
  testDataDirectory,
  TestServer,
  until,
} from '../support/server.ts'
import { withDatabase } from '../support/with-database.ts'
import { computerRow, paths } from './host-traces.ts'

const counter = 'i=0; while :; do i=$((i + 1)); echo $i; sleep 0.05; done'

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

interface ListedProcess {
  processId: string
  id: string
  pid: number
  status: string
  exitCode: number | null
  reason: string | null
}

async function list(sessionId: string): Promise<ListedProcess[]> {
  return (await server.post('/process/list', { sessionId, all: true })).body.processes
}

/** Returns everything that a process wrote to stdout, read in parts. */
async function stdoutOf(sessionId: string, processId: string): Promise<{ stdout: string; truncated: boolean }> {
  let stdout = ''
  for (let cursor = 0; ;) {
    const { status, body } = await server.post('/process/get', { sessionId, processId, cursor })
    assert.equal(status, 200, JSON.stringify(body))
    const { logs } = body
    stdout += logs.stdout
    if (logs.cursor === cursor) return { stdout, truncated: logs.truncated }
    ;({ cursor } = logs)
  }
}

async function pidInside(sessionId: string, pattern: string): Promise<string> {
  return (await server.shell(`pgrep -f '${pattern}' | head -1`, { sessionId })).stdout.trim()
}

test('a killed server loses no variables of a kernel, and the code that ran for its client is interrupted', async () => {
  const sessionId = newSession()
  const call = async (code: string, language = 'python') =>
    (await server.post('/interpret', { code, language, sessionId })).body
  await call('import time\nkept = 41; state = "idle"')
  await call('const kept = 40', 'javascript')
  const long = 'state = "begun"; open("/workspace/begun", "w").close()\ntime.sleep(60)\nstate = "done"'
  const cut = server.post('/interpret', { code: long, sessionId, timeout: 90_000 })
  const answer = assert.rejects(cut, { message: 'fetch failed' })
  await until(
    () => server.shell('ls /workspace', { sessionId }),
    ({ stdout }) => stdout.includes('begun'),
  )
  await server.stop('SIGKILL')
  await answer
  server = await TestServer.start()
  const python = await call('[state, kept + 1]')
  assert.deepEqual([python.results[0]?.data, python.kernelRestarted], [['begun', 42], false], JSON.stringify(python))
  const javascript = await call('kept + 2', 'javascript')
  assert.deepEqual([javascript.results[0]?.text, javascript.kernelRestarted], ['42', false])
  assert.equal((await call('print("out")\nkept')).logs.stdout, 'out\n')
})

test('a server that is killed while it writes a request to a kernel loses no variables', async () => {
  const sessionId = newSession()
  const languages = ['python', 'javascript']
  const call = async (language: string, code: string) =>
    (await server.post('/interpret', { code, language, sessionId })).body
  for (const language of languages) await call(language, 'kept = 41')
  const { id: computerId } = (await computerRow(sessionId))!
  const kernels = (await withDatabase((db) => db.selectFrom('processes').selectAll().execute())).filter(
    ({ kind, computer_id }) => kind === 'kernel' && computer_id === computerId,
  )
  assert.deepEqual(kernels.map(({ name }) => name).toSorted(), ['kernel/javascript', 'kernel/python'])
  for (const { id } of kernels) await writeAsServer(id, '{"op":"run","id":"cut","code":"kept = 0')
  await server.stop('SIGKILL')
  server = await TestServer.start()
  for (const language of languages) {
    const { results, kernelRestarted } = await call(language, 'kept + 1')
    const [{ data, text }] = results
    assert.deepEqual([data ?? Number(text), kernelRestarted], [42, false], language)
  }
})

/** Writes to the stdin of a process by the monitor, as a server does. */
async function writeAsServer(processId: string, text: string): Promise<void> {
  const socket = connect(join(paths.runtime, 'monitor.sock'))
  const request = { op: 'write', processId, data: Buffer.from(text).toString('base64'), seq: 1 }
  socket.write(`${JSON.stringify(request)}\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  assert.ok('ok' in (JSON.parse(answer.toString()) as object), answer.toString())
}

test('a killed server loses no process, no output and no exit code', async () => {
  const sessionId = newSession()
  await server.post('/process/start', { command: counter, processId: 'counter', sessionId, timeout: 0 })
  await server.post('/process/start', { command: 'sleep 1; echo out; exit 41', processId: 'soon', sessionId })
  const cut = server.post('/execute', { code: 'sleep 1.2; echo done; exit 43', language: 'shell', sessionId })
  const answer = assert.rejects(cut, { message: 'fetch failed' })
  await until(
    () => list(sessionId),
    (processes) => processes.length === 3,
  )
  const before = await list(sessionId)
  await server.stop('SIGKILL')
  await answer
  server = await TestServer.start()

  const after = await list(sessionId)
  assert.deepEqual(after.map(({ id }) => id).toSorted(), before.map(({ id }) => id).toSorted())
  assert.equal(
    after.find(({ processId }) => processId === 'counter')?.pid,
    before.find(({ processId }) => processId === 'counter')?.pid,
  )
  const over = await until(
    () => list(sessionId),
    (processes) => processes.filter(({ status }) => status !== 'running').length === 2,
  )
  assert.deepEqual(
    over
      .filter(({ status }) => status !== 'running')
      .map(({ exitCode, reason }) => `${reason} with ${exitCode}`)
      .toSorted(),
    ['exited with 41', 'exited with 43'],
  )
  const execute = over.find(({ exitCode }) => exitCode === 43)!
  assert.equal((await stdoutOf(sessionId, execute.id)).stdout, 'done\n')

  const { stdout: early } = await stdoutOf(sessionId, 'counter')
  await until(
    async () => (await stdoutOf(sessionId, 'counter')).stdout.length,
    (length) => length > early.length,
  )
  await server.post('/process/kill', { sessionId, processId: 'counter' })
  const { stdout, truncated } = await stdoutOf(sessionId, 'counter')
  const numbers = stdout.trim().split('\n').map(Number)
  assert.ok(numbers.length > 20)
  assert.ok(
    numbers.every((number, index) => number === index + 1),
    'numbers are missing',
  )
  assert.equal(truncated, false)
})

test('a process that ends while no server runs is recorded with its exit and output', async () => {
  const sessionId = newSession()
  await server.shell('true', { sessionId })
  const commands = { code: 'sleep 0.3; echo late; exit 17', signal: 'sleep 0.3; kill -SEGV $$', limit: 'sleep 100' }
  for (const [processId, command] of Object.entries(commands))
    await server.post('/process/start', { command, processId, sessionId, timeout: processId === 'limit' ? 400 : 0 })
  await server.stop('SIGKILL')
  await new Promise((resolve) => setTimeout(resolve, 800))
  server = await TestServer.start()
  const processes = new Map((await list(sessionId)).map((process) => [process.processId, process]))
  assert.deepEqual([processes.get('code')?.exitCode, processes.get('code')?.reason], [17, 'exited'])
  assert.deepEqual([processes.get('signal')?.exitCode, processes.get('signal')?.reason], [139, 'signalled'])
  assert.deepEqual([processes.get('limit')?.exitCode, processes.get('limit')?.reason], [137, 'timeout'])
  assert.equal((await stdoutOf(sessionId, 'code')).stdout, 'late\n')
})

test('a file that is being written when the server is killed stays as it was, and no partial file is left', async () => {
  const sessionId = newSession()
  await server.shell('echo old > file', { sessionId })
  const { hostname, port } = new URL(server.url)
  const upload = httpRequest({
    hostname,
    port,
    method: 'POST',
    path: '/files/upload',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'multipart/form-data; boundary=limit' },
  })
  upload.on('error', () => {})
  const field = (name: string, value: string) =>
    `--limit\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
  upload.write(field('path', '/workspace/file') + field('sessionId', sessionId))
  upload.write('--limit\r\ncontent-disposition: form-data; name="file"; filename="file"\r\n\r\n')
  upload.write(Buffer.alloc(8 * 1024 * 1024))
  const inComputer = () => readOpenFiles(server.process.pid!).filter((target) => target.includes('/workspace/'))
  await until(inComputer, (found) => found.length > 0)
  await server.stop('SIGKILL')
  server = await TestServer.start()
  const { stdout } = await server.shell('ls -A; cat file', { sessionId })
  assert.equal(stdout, 'file\nold\n')
})

test('SIGTERM leaves computers running, and the next server takes them back', async () => {
  const sessionId = newSession()
  await server.shell('echo kept > /workspace/file; echo kept > /dev/shm/file', { sessionId })
  await server.post('/process/start', { command: 'exec sleep 5432', processId: 'sleeper', sessionId, timeout: 0 })
  const { id } = (await computerRow(sessionId))!
  const pid = await pidInside(sessionId, 'sleep 5432')
  assert.equal(await server.stop('SIGTERM'), 0)
  assert.equal((await computerRow(sessionId))?.state, 'running')
  server = await TestServer.start()
  assert.equal((await computerRow(sessionId))?.id, id)
  assert.equal(await pidInside(sessionId, 'sleep 5432'), pid)
  assert.equal((await server.shell('cat /workspace/file /dev/shm/file', { sessionId })).stdout, 'kept\nkept\n')
  assert.equal((await list(sessionId)).find(({ processId }) => processId === 'sleeper')?.status, 'running')
  const killed = await server.post('/process/kill', { sessionId, processId: 'sleeper' })
  assert.equal(killed.body.process.status, 'killed')
})

test('after SIGTERM a short request in flight is answered, and a later one is refused', async () => {
  const sessionId = newSession()
  await server.shell('true', { sessionId })
  const running = server.shell('echo started > /workspace/started; sleep 1; echo answered', { sessionId })
  await until(
    async () => (await server.shell('cat /workspace/started', { sessionId })).stdout,
    (stdout) => stdout === 'started\n',
  )
  const stopped = server.stop('SIGTERM')
  assert.equal((await running).stdout, 'answered\n')
  assert.equal(await stopped, 0)
  await assert.rejects(server.shell('true', { sessionId }))
  server = await TestServer.start()
})

test('a second server on the same data directory refuses to start, with one sentence', async () => {
  const second = spawn(process.execPath, [serverProgram], {
    env: serverEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [[code], stderr] = await Promise.all([once(second, 'exit'), text(second.stderr)])
  assert.equal(code, 1)
  assert.equal(
    stderr,
    `Cannot start: another server (process ${server.process.pid}) uses ${testDataDirectory}; stop it, or set CARREL_DATA to another directory\n`,
  )
  assert.equal((await server.shell('echo fine')).stdout, 'fine\n')
})
