import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { newSession, TestServer, until } from '../support/server.ts'

describe('background processes', () => {
  let server: TestServer
  const sessionId = newSession()

  before(async () => {
    server = await TestServer.start()
  })
  after(() => server.stop())

  const post = (path: string, body: Record<string, unknown>) => server.done(path, { sessionId, ...body })
  const start = (command: string, more: Record<string, unknown> = {}) => post('/process/start', { command, ...more })
  const ended = (processId: string) =>
    until(
      () => post('/process/get', { processId }),
      ({ process }) => process.status !== 'running',
    )

  test('start returns at once with the process and hints on what to do next', async () => {
    const body = await start('sleep 30', { processId: 'web' })
    const { id, pid, startedAt, hints, ...rest } = body
    assert.deepEqual(rest, { success: true, processId: 'web', status: 'running', command: 'sleep 30', sessionId })
    assert.match(id, /^[0-9a-z]{20}$/)
    assert.equal((await server.shell(`ps -o args= -p ${pid}`, { sessionId })).stdout, 'sleep 30\n')
    assert.ok(Math.abs(Date.now() - Date.parse(startedAt)) < 60_000)
    assert.deepEqual(Object.keys(hints), ['exposePort', 'checkStatus', 'stopProcess', 'bindAddress'])
    assert.equal(hints.checkStatus, `POST /process/get with {"processId": "web", "sessionId": "${sessionId}"}`)
    await post('/process/kill', { processId: 'web' })
  })

  test('get and list return the ports on which a process listens, and the call that exposes them', async () => {
    const own = newSession()
    const call = (path: string, body: Record<string, unknown>) => post(path, { sessionId: own, ...body })
    await call('/process/start', { command: 'python3 -m http.server 8080; true', processId: 'web' })
    await call('/process/start', { command: 'sleep 100', processId: 'idle' })
    const { process } = await until(
      () => call('/process/get', { processId: 'web' }),
      (answer) => answer.process.ports.length > 0,
    )
    const [{ detectedAt, ...port }] = process.ports
    assert.deepEqual(port, { port: 8080, address: '0.0.0.0', canExpose: true })
    assert.ok(Math.abs(Date.now() - Date.parse(detectedAt)) < 60_000)
    assert.equal(
      process.hints.exposePort,
      `A server listens on port 8080. POST /expose with {"port": 8080, "sessionId": "${own}"} returns its preview URL.`,
    )
    const { url } = await call('/expose', JSON.parse(/with (\{.*\})/.exec(process.hints.exposePort)![1]!))
    assert.equal((await server.preview(url, '/')).status, 200)
    const { processes } = await call('/process/list', {})
    assert.deepEqual(
      processes.map(({ processId, ports }: { processId: string; ports: { port: number }[] }) => [
        processId,
        ports.map((found) => found.port),
      ]),
      [
        ['web', [8080]],
        ['idle', []],
      ],
    )
    await call('/process/kill', { processId: 'web' })
    const ended = (await call('/process/get', { processId: 'web' })).process
    assert.deepEqual([ended.ports, ended.hints], [[], undefined])
  })

  for (const [address, port, canExpose, hint] of [
    ['127.0.0.1', 8090, true, /POST \/expose with {"port": 8090, /],
    ['::1', 8091, true, /POST \/expose with {"port": 8091, /],
    ['127.0.0.2', 8092, false, /port 8092 of 127\.0\.0\.2, where previews cannot reach it\. Start it on 0\.0\.0\.0/],
    ['0.0.0.0', 3000, false, /ports 3000-3010 are reserved\. Start it on another port/],
  ] as const)
    test(`the hint for a server on ${address}:${port} is correct`, async () => {
      const { processId } = await start(`python3 -m http.server --bind ${address} ${port}`)
      const { process } = await until(
        () => post('/process/get', { processId }),
        (answer) => answer.process.ports.length > 0,
      )
      const [found] = process.ports
      assert.deepEqual([found.port, found.address, found.canExpose], [port, address, canExpose])
      assert.match(process.hints.exposePort, hint)
      const exposed = await server.post('/expose', { port, sessionId })
      const reached = exposed.status === 200 && (await server.preview(exposed.body.url, '/')).status === 200
      assert.equal(reached, canExpose)
      await post('/process/kill', { processId })
    })

  test('a process without a name is named by its id', async () => {
    const { processId, id } = await start('true')
    assert.equal(processId, id)
    assert.equal((await ended(id)).process.processId, id)
  })

  test('get returns the state and the output, by name and by id', async () => {
    const { id } = await start('echo out; echo err >&2; exit 4', { processId: 'short' })
    const { process, logs } = await ended('short')
    const { pid: _pid, startedAt: _startedAt, endedAt, ...rest } = process
    assert.deepEqual(rest, {
      processId: 'short',
      id,
      command: 'echo out; echo err >&2; exit 4',
      status: 'failed',
      exitCode: 4,
      signal: null,
      reason: 'exited',
      ports: [],
    })
    assert.ok(Date.parse(endedAt) > 0)
    const { cursor: _cursor, ...output } = logs
    assert.deepEqual(output, { stdout: 'out\n', stderr: 'err\n', truncated: false, done: true })
    assert.deepEqual((await post('/process/get', { processId: id })).process, process)
  })

  test('what a Python program prints is there while it runs', async () => {
    await start(`python3 -c 'import signal; print("ready"); signal.pause()'`, { processId: 'python' })
    await until(
      () => post('/process/get', { processId: 'python' }),
      ({ logs }) => logs.stdout === 'ready\n',
    )
    await post('/process/kill', { processId: 'python' })
  })

  test('exit code 0 is completed', async () => {
    const { processId } = await start('exit 0')
    assert.equal((await ended(processId)).process.status, 'completed')
  })

  test('the cursor of a response continues where it ended, while the process runs', async () => {
    const { processId } = await start('for i in 1 2 3 4 5; do echo $i; sleep 0.1; done')
    let cursor = 0
    let text = ''
    await until(
      async () => {
        const { logs } = await post('/process/get', { processId, cursor })
        cursor = logs.cursor
        text += logs.stdout
        return logs
      },
      (logs) => logs.done,
    )
    assert.equal(text, '1\n2\n3\n4\n5\n')
    const again = await post('/process/get', { processId, cursor })
    assert.deepEqual([again.logs.stdout, again.logs.cursor, again.logs.done], ['', cursor, true])
  })

  test('5 MB of three-byte characters arrive without a cut character, however they are split', async () => {
    const { processId } = await start(`python3 -c 'print("x" + "€" * 1_700_000, end="")'`)
    await ended(processId)
    let cursor = 0
    let text = ''
    for (let done = false; !done;) {
      const { logs } = await post('/process/get', { processId, cursor })
      assert.ok(logs.cursor > cursor || logs.done, 'the cursor does not advance')
      ;({ cursor, done } = logs)
      text += logs.stdout
    }
    assert.equal(text.indexOf('\ufffd'), -1)
    assert.equal(text, `x${'€'.repeat(1_700_000)}`)
  })

  for (const [state, after] of [
    ['ended', ''],
    ['runs', '; sleep 60'],
  ] as const)
    test(`a cursor that was never returned is refused, for a process that ${state}`, async () => {
      const { processId } = await start(`printf 'hello\\nworld'${after}`)
      if (after === '') await ended(processId)
      const { logs } = await until(
        () => post('/process/get', { processId }),
        (answer) => answer.logs.stdout === 'hello\nworld',
      )
      for (const cursor of [1, 7, logs.cursor - 1, logs.cursor + 1, 999_999]) {
        const { status, body } = await server.post('/process/get', { processId, cursor, sessionId })
        assert.deepEqual([status, body.field], [400, 'cursor'], `${cursor}: ${JSON.stringify(body)}`)
      }
      const again = await post('/process/get', { processId, cursor: logs.cursor })
      assert.deepEqual([again.logs.stdout, again.logs.cursor], ['', logs.cursor])
      await post('/process/kill', { processId, signal: 'SIGKILL' })
    })

  test('list returns running and ended processes of its own sandbox only, oldest first', async () => {
    const own = newSession()
    for (const name of ['first', 'second'])
      await post('/process/start', { command: 'sleep 30', processId: name, sessionId: own })
    await post('/process/kill', { processId: 'first', sessionId: own })
    const { processes } = await post('/process/list', { sessionId: own })
    assert.deepEqual(
      processes.map(({ processId, status }: Record<string, string>) => [processId, status]),
      [
        ['first', 'killed'],
        ['second', 'running'],
      ],
    )
    const other = await post('/process/list', { sessionId: newSession() })
    assert.deepEqual(other, { success: true, processes: [] })
  })

  test('list returns commands while they run, and with `all` also ended ones', async () => {
    const own = newSession()
    await post('/process/start', { command: 'true', processId: 'kept', sessionId: own })
    await server.shell('echo once', { sessionId: own })
    const running = server.shell('sleep 5; echo ran', { sessionId: own })
    const commands = async (fields: object): Promise<string[]> => {
      const { processes } = await post('/process/list', { ...fields, sessionId: own })
      return processes.map(({ command }: { command: string }) => command)
    }
    await until(
      () => commands({}),
      (found) => found.length === 2,
    )
    assert.deepEqual(await commands({}), ['true', 'sleep 5; echo ran'])
    assert.deepEqual(await commands({ all: true }), ['true', 'echo once', 'sleep 5; echo ran'])
    await running
    assert.deepEqual(await commands({}), ['true'])
  })

  test('commands do not displace ended background processes', async () => {
    const own = newSession()
    await post('/process/start', { command: 'echo done', processId: 'early', sessionId: own })
    await server.shell(`for i in 1 2 3; do :; done`, { sessionId: own })
    const many = Array.from(
      { length: limits.endedProcessesPerComputer + 20 },
      () => () => server.shell('true', { sessionId: own }),
    )
    for (let next = many.splice(0, 16); next.length > 0; next = many.splice(0, 16))
      await Promise.all(next.map((run) => run()))
    const all = async (): Promise<unknown[]> => (await post('/process/list', { sessionId: own, all: true })).processes
    await until(all, (found) => found.length <= limits.endedProcessesPerComputer + 1)
    assert.equal((await post('/process/get', { processId: 'early', sessionId: own })).logs.stdout, 'done\n')
  })

  test('the name of a running process is refused with 409, and available again after its end', async () => {
    await start('sleep 30', { processId: 'once' })
    const { status, body } = await server.post('/process/start', { command: 'true', processId: 'once', sessionId })
    assert.deepEqual([status, body.code, body.field], [409, 'ALREADY_EXISTS', 'processId'])
    await post('/process/kill', { processId: 'once' })
    const { id } = await start('echo new', { processId: 'once' })
    const { process, logs } = await ended('once')
    assert.deepEqual([process.id, logs.stdout], [id, 'new\n'])
  })

  test('one of ten concurrent starts with one name succeeds', async () => {
    const own = newSession()
    await server.shell('true', { sessionId: own })
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        server.post('/process/start', { command: 'sleep 30', processId: 'race', sessionId: own }),
      ),
    )
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
    assert.deepEqual(statuses, [200, ...Array.from({ length: 9 }, () => 409)])
    const { processes } = await post('/process/list', { sessionId: own })
    assert.equal(processes.filter(({ processId }: { processId: string }) => processId === 'race').length, 1)
  })

  test('kill ends the whole tree, and responds once it has ended', async () => {
    await start('sleep 765 & (setsid sleep 765 &); nohup bash -c "sleep 765; true" & wait', { processId: 'tree' })
    await until(
      () => server.shell('pgrep -xc sleep || true', { sessionId }),
      ({ stdout }) => stdout === '3\n',
    )
    const { process, processId } = await post('/process/kill', { processId: 'tree' })
    assert.deepEqual(
      [processId, process.status, process.reason, process.signal],
      ['tree', 'killed', 'signalled', 'SIGTERM'],
    )
    assert.equal((await server.shell('pgrep -xc sleep || true', { sessionId })).stdout, '0\n')
  })

  test('a process that ignores SIGTERM is ended by SIGKILL after five seconds', async () => {
    await start('trap "" TERM; echo ready; while true; do sleep 0.05; done', { processId: 'stubborn' })
    await until(
      () => post('/process/get', { processId: 'stubborn' }),
      ({ logs }) => logs.stdout === 'ready\n',
    )
    const begun = performance.now()
    const { process } = await post('/process/kill', { processId: 'stubborn' })
    const took = performance.now() - begun
    assert.deepEqual([process.status, process.signal, process.exitCode], ['killed', 'SIGKILL', 137])
    assert.ok(took > 4500, `it took ${took} ms`)
  })

  test('a process may end by itself on SIGTERM, and its exit code counts', async () => {
    await start('trap "echo bye; exit 7" TERM; echo ready; while true; do sleep 0.05; done', { processId: 'polite' })
    await until(
      () => post('/process/get', { processId: 'polite' }),
      ({ logs }) => logs.stdout === 'ready\n',
    )
    const { process } = await post('/process/kill', { processId: 'polite' })
    assert.deepEqual([process.exitCode, process.signal, process.reason], [7, null, 'exited'])
    assert.equal((await post('/process/get', { processId: 'polite' })).logs.stdout, 'ready\nbye\n')
  })

  test('another signal is delivered and does not end the process', async () => {
    await start('trap "echo usr1" USR1; echo ready; while true; do sleep 0.05; done', { processId: 'usr' })
    await until(
      () => post('/process/get', { processId: 'usr' }),
      ({ logs }) => logs.stdout === 'ready\n',
    )
    const { process } = await post('/process/kill', { processId: 'usr', signal: 'SIGUSR1' })
    assert.equal(process.status, 'running')
    await until(
      () => post('/process/get', { processId: 'usr' }),
      ({ logs }) => logs.stdout.includes('usr1\n'),
    )
    await post('/process/kill', { processId: 'usr', signal: 'SIGKILL' })
  })

  test('killing an ended process does not change it', async () => {
    const { processId } = await start('exit 3')
    await ended(processId)
    const { process } = await post('/process/kill', { processId })
    assert.deepEqual([process.status, process.exitCode], ['failed', 3])
  })

  test('timeout ends a process with its tree, for the reason timeout', async () => {
    const { processId } = await start('sleep 876 & wait', { timeout: 300 })
    const { process } = await ended(processId)
    assert.deepEqual([process.status, process.reason], ['timeout', 'timeout'])
    assert.equal((await server.shell('pgrep -fc "sleep 87[6]" || true', { sessionId })).stdout, '0\n')
  })

  test('the default limit is the 15 minutes of the document, and 0 means none', async () => {
    const { body } = await server.call('GET', '/', undefined, { token: null })
    const { params, description } = body.endpoints['POST /process/start']
    assert.equal(params.timeout.default, 900_000)
    assert.match(description, /15 min/)
    const { processId } = await start('sleep 0.2; echo ok', { timeout: 0 })
    assert.equal((await ended(processId)).logs.stdout, 'ok\n')
  })

  test('env and cwd are passed on', async () => {
    const { processId } = await start('pwd; echo $A', { env: { A: 'ä' }, cwd: '/usr' })
    assert.equal((await ended(processId)).logs.stdout, '/usr\nä\n')
  })

  test('an end for lack of memory is reported as such', async () => {
    const { processId } = await start('python3 -c "x = bytearray(600000000)"', { sessionId })
    const { process } = await ended(processId)
    assert.deepEqual([process.status, process.reason], ['oom', 'oom'])
  })

  test('programs of /execute are in the list too, with their output', async () => {
    const { body } = await server.post('/execute', { code: 'echo by execute', language: 'shell', sessionId })
    const { process, logs } = await post('/process/get', { processId: body.processId })
    assert.deepEqual([process.status, logs.stdout], ['completed', 'by execute\n'])
  })

  test('a process outlives the server that started it, with its output and its name', async () => {
    const { id } = await start('echo one; sleep 3; echo two; exit 5', { processId: 'survivor' })
    await until(
      () => post('/process/get', { processId: 'survivor' }),
      ({ logs }) => logs.stdout === 'one\n',
    )
    await server.stop()
    server = await TestServer.start()
    const { process, logs } = await ended('survivor')
    assert.deepEqual([process.id, process.exitCode, logs.stdout], [id, 5, 'one\ntwo\n'])
  })

  for (const [why, path, body, status, field] of [
    ['no such process', '/process/get', { processId: 'nobody' }, 404, 'processId'],
    ['no such process', '/process/kill', { processId: 'nobody' }, 404, 'processId'],
    ['no such sandbox', '/process/get', { processId: 'x', sessionId: 'never-used' }, 404, 'sessionId'],
    ['no command', '/process/start', {}, 400, 'command'],
    ['a command over 64 KiB', '/process/start', { command: 'x'.repeat(65_537) }, 400, 'command'],
    ['a name with a space', '/process/start', { command: 'true', processId: 'a b' }, 400, 'processId'],
    ['a cursor below 0', '/process/get', { processId: 'x', cursor: -1 }, 400, 'cursor'],
    ['an unknown signal', '/process/kill', { processId: 'x', signal: 'SIGSTOP' }, 400, 'signal'],
    ['a missing processId', '/process/get', {}, 400, 'processId'],
  ] as const)
    test(`${path} responds with ${status} and the field ${field} for ${why}`, async () => {
      const answer = await server.post(path, { sessionId, ...body })
      assert.deepEqual([answer.status, answer.body.field], [status, field], answer.body.error)
    })

  test('requests about processes create no sandbox', async () => {
    const token = await server.newAccount()
    await server.post('/process/list', {}, { token })
    await server.post('/process/get', { processId: 'x' }, { token })
    const { body } = await server.post('/process/get', { processId: 'x' }, { token })
    assert.match(body.error, /no such sandbox/)
  })
})
