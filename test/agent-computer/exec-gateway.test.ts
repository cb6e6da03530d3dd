import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { after, before, describe, test } from 'node:test'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { Code, ConnectError, createClient, type Client } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import type { StreamInputRequestSchema } from '../../src/apis/agent-computer/exec-gateway/process_pb.ts'
import { Process, Signal, type ProcessEvent } from '../../src/apis/agent-computer/exec-gateway/process_pb.ts'
import { limits } from '../../src/config/limits.ts'
import { until } from '../support/server.ts'
import { TestApp } from '../support/test-app.ts'

/** The gateway of exec sessions, with Connect's own client. */
describe('the exec gateway', { timeout: 120_000 }, () => {
  let server: TestApp
  let computerId: string
  let token: string
  before(async () => {
    server = await TestApp.start({ env: { CARREL_MEMORY_OVERCOMMIT: '100', CARREL_DISK_OVERCOMMIT: '100' } })
    ;({ computerId, token } = await newSession())
  })
  after(() => server.stop())

  const newSession = async () => {
    const { body } = await server.post('/v1/computers', {})
    const { id } = body.computer
    await until(
      async () => (await server.call('GET', `/v1/computers/${id}`)).body.computer.state,
      (state) => state === 'running',
    )
    const session = await server.post(`/v1/computers/${id}/access-sessions`, { kind: 'exec' })
    assert.equal(session.status, 201, JSON.stringify(session.body))
    return {
      computerId: id as string,
      token: session.body.session.connect_token as string,
      sessionId: session.body.session.id as string,
    }
  }
  const endPrograms = async (id: string) => {
    const session = await server.post(`/v1/computers/${id}/access-sessions`, { kind: 'exec' })
    const client = clientOf(session.body.session.connect_token as string)
    for (const { pid } of (await client.list({})).processes)
      await client.sendSignal({ process: byPid(pid), signal: Signal.SIGKILL })
  }
  const clientOf = (
    own = token,
    { binary = false, headers = {} }: { binary?: boolean; headers?: Record<string, string> } = {},
  ): Client<typeof Process> =>
    createClient(
      Process,
      createConnectTransport({
        baseUrl: server.url,
        httpVersion: '1.1',
        useBinaryFormat: binary,
        interceptors: [
          (next) => (request) => {
            if (own) request.header.set('authorization', `Bearer ${own}`)
            for (const [name, value] of Object.entries(headers)) request.header.set(name, value)
            return next(request)
          },
        ],
      }),
    )
  const bash = (script: string) => ({ cmd: 'bash', args: ['-c', script] })
  const program = (script: string) => ({ process: bash(script), stdin: false })
  type Events = AsyncIterable<{ event?: ProcessEvent | undefined }>
  /** Reads events to their end, and returns what was printed. */
  const collect = async (events: Events) => {
    const text = { stdout: '', stderr: '', pty: '' }
    let [pid, end, keepAlives]: [number, Record<string, unknown> | undefined, number] = [0, undefined, 0]
    for await (const { event } of events) {
      const { case: kind, value } = event!.event
      if (kind === 'start') pid = value.pid
      else if (kind === 'data') text[value.output.case!] += Buffer.from(value.output.value!).toString()
      else if (kind === 'keepalive') keepAlives++
      else if (kind === 'end') {
        const { $typeName: _, ...fields } = value
        end = fields
      }
    }
    return { pid, ...text, end, keepAlives }
  }
  /** Begins to read events, up to the first; the rest can be collected. */
  const begin = async (events: Events) => {
    const all = events[Symbol.asyncIterator]()
    const { value } = await all.next()
    const started = value.event.event
    assert.equal(started.case, 'start')
    return {
      pid: started.value.pid as number,
      rest: { [Symbol.asyncIterator]: () => all } as Events,
      leave: () => all.return?.(),
    }
  }
  const fails = async (call: Promise<unknown>, code: Code, message?: RegExp) => {
    const error = await call.then(
      () => assert.fail('it did not fail'),
      (reason: unknown) => ConnectError.from(reason),
    )
    assert.equal(Code[error.code], Code[code], error.message)
    if (message) assert.match(error.message, message)
  }
  const byPid = (pid: number) => ({ selector: { case: 'pid' as const, value: pid } })
  const tagged = (tag: string) => ({ selector: { case: 'tag' as const, value: tag } })
  const stdin = (text: string) => ({ input: { case: 'stdin' as const, value: Buffer.from(text) } })

  for (const binary of [false, true])
    test(`a process is started, printed and ended, in ${binary ? 'binary' : 'JSON'}`, async () => {
      const done = await collect(clientOf(token, { binary }).start(program('echo out; echo err >&2; exit 3')))
      assert.ok(done.pid > 0)
      assert.deepEqual(
        [done.stdout, done.stderr, done.end],
        ['out\n', 'err\n', { exitCode: 3, exited: true, status: 'exit status 3', error: 'exit status 3' }],
      )
    })

  test('both forms of Start name program, directory and variables', async () => {
    const script = 'echo $A; pwd'
    const forms = [
      { process: { ...bash(script), cwd: '/tmp', envs: { A: 'b' } } },
      { command: ['bash', '-c', script], cwd: '/tmp', env: { A: 'b' } },
    ]
    for (const form of forms) {
      const { stdout, end } = await collect(clientOf().start(form))
      assert.deepEqual([stdout, end], ['b\n/tmp\n', { exitCode: 0, exited: true, status: 'exit status 0' }])
    }
  })

  test('plain JSON, as curl sends it, gets a line for each event', async () => {
    const ask = (body: string, headers: Record<string, string> = {}) =>
      fetch(`${server.url}/process.Process/Start?access_token=${token}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
      })
    const answer = await ask('{"command":["echo","hello"]}')
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'application/x-ndjson'])
    const lines = (await answer.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).event)
    assert.equal(typeof lines[0].start.pid, 'number')
    assert.equal(Buffer.from(lines[1].data.stdout, 'base64').toString(), 'hello\n')
    assert.deepEqual(lines[2], { end: { exited: true, status: 'exit status 0' } })
    for (const [body, status, code] of [
      ['{"command":["no-such-program"]}', 404, 'not_found'],
      ['{"command":[]}', 400, 'invalid_argument'],
      ['{"command":["a"],"process":{"cmd":"a"}}', 400, 'invalid_argument'],
      ['{"command":', 400, 'invalid_argument'],
      ['[]', 400, 'invalid_argument'],
    ] as const) {
      const refused = await ask(body)
      assert.deepEqual([refused.status, ((await refused.json()) as { code: string }).code], [status, code], body)
    }
    assert.ok(!server.log().includes(token))
  })

  test('input arrives by SendInput and StreamInput, until stdin is closed', async () => {
    const client = clientOf()
    const { pid, rest } = await begin(client.start({ process: { cmd: 'cat' }, tag: 'reader' }))
    await client.sendInput({ process: tagged('reader'), input: stdin('one ') })
    async function* messages(): AsyncGenerator<MessageInitShape<typeof StreamInputRequestSchema>> {
      yield { event: { case: 'start' as const, value: { process: byPid(pid) } } }
      yield { event: { case: 'keepalive' as const, value: {} } }
      for (const text of ['two ', 'three']) yield { event: { case: 'data' as const, value: { input: stdin(text) } } }
    }
    await client.streamInput(messages())
    const { processes } = await client.list({})
    const listed = processes.find((process) => process.pid === pid)!
    assert.deepEqual([listed.tag, listed.config?.cmd, listed.config?.args], ['reader', 'cat', []])
    await client.closeStdin({ process: tagged('reader') })
    const { stdout, end } = await collect(rest)
    assert.deepEqual([stdout, end?.['exitCode']], ['one two three', 0])
    await fails(client.sendInput({ process: byPid(pid), input: stdin('late') }), Code.NotFound)
    assert.ok(!(await client.list({})).processes.some((process) => process.pid === pid))
  })

  test('a terminal prints to one stream, and its size changes', async () => {
    const client = clientOf()
    const size = (cols: number) => ({ size: { cols, rows: 40 } })
    const { pid, rest } = await begin(client.start({ process: bash('read -r line; echo "got $line"'), pty: size(100) }))
    await client.update({ process: byPid(pid), pty: size(120) })
    await fails(client.update({ process: byPid(pid), pty: size(0) }), Code.InvalidArgument)
    await client.sendInput({ process: byPid(pid), input: { input: { case: 'pty', value: Buffer.from('it\n') } } })
    const { pty, stdout, end } = await collect(rest)
    assert.deepEqual([stdout, end?.['exitCode']], ['', 0])
    assert.match(pty, /got it/)
    await fails(collect(client.start({ process: bash('true'), pty: size(1001) })), Code.InvalidArgument)
  })

  test('a signal ends a process', async () => {
    const client = clientOf()
    const { pid, rest } = await begin(client.start(program('sleep 100')))
    await fails(client.sendSignal({ process: byPid(pid), signal: 77 as Signal }), Code.InvalidArgument)
    await client.sendSignal({ process: byPid(pid), signal: Signal.SIGKILL })
    const { end } = await collect(rest)
    assert.deepEqual(end, { exitCode: 137, exited: false, status: 'signal: SIGKILL', error: 'signal: SIGKILL' })
    await fails(client.sendSignal({ process: byPid(pid), signal: Signal.SIGKILL }), Code.NotFound)
  })

  test('a client that leaves does not end the process, whose output is replayed to the next', async () => {
    const client = clientOf()
    const { leave } = await begin(
      client.start({ ...program('echo first; read -r line; echo $line'), stdin: true, tag: 'lasting' }),
    )
    await leave()
    await client.sendInput({ process: tagged('lasting'), input: stdin('second\n') })
    const { stdout, end } = await collect(client.connect({ process: tagged('lasting') }))
    assert.deepEqual([stdout, end?.['exitCode']], ['first\nsecond\n', 0])
    assert.equal(
      (await collect(client.connect({ process: tagged('lasting') }))).stdout,
      stdout,
      'also once it has ended',
    )
  })

  test('a process does not wait for a client that has left, however much it prints', async () => {
    const client = clientOf()
    const { leave } = await begin(client.start({ ...program('head -c 12000000 /dev/zero'), tag: 'loud' }))
    await leave()
    await until(
      () => client.list({}),
      ({ processes }) => !processes.some(({ tag }) => tag === 'loud'),
    )
  })

  test('one process of a tag runs at a time', async () => {
    const client = clientOf()
    const { rest } = await begin(client.start({ process: { cmd: 'cat' }, tag: 'single' }))
    await fails(collect(client.start({ ...program('true'), tag: 'single' })), Code.AlreadyExists)
    await client.closeStdin({ process: tagged('single') })
    await collect(rest)
    await fails(collect(client.connect({ process: tagged('none') })), Code.NotFound)
    await fails(collect(client.connect({})), Code.InvalidArgument)
  })

  test('the deadline of the client ends the process', async () => {
    const client = clientOf()
    await fails(
      collect(client.start({ ...program('sleep 100'), tag: 'late' }, { timeoutMs: 300 })),
      Code.DeadlineExceeded,
    )
    await until(
      () => client.list({}),
      ({ processes }) => !processes.some(({ tag }) => tag === 'late'),
    )
  })

  test('a quiet stream is kept alive as often as the client asks', async () => {
    const client = clientOf(token, { headers: { 'keepalive-ping-interval': '1' } })
    const { keepAlives } = await collect(client.start(program('sleep 1.5')))
    assert.equal(keepAlives, 1)
  })

  test('the token is that of one session of one computer', async () => {
    const other = await newSession()
    const { rest } = await begin(clientOf(other.token).start({ process: { cmd: 'cat' }, tag: 'elsewhere' }))
    await fails(clientOf().closeStdin({ process: tagged('elsewhere') }), Code.NotFound)
    assert.deepEqual(
      (await clientOf(other.token).list({})).processes.map(({ tag }) => tag),
      ['elsewhere'],
    )
    await clientOf(other.token).closeStdin({ process: tagged('elsewhere') })
    await collect(rest)
    for (const wrong of ['', 'pp_access_wrong', server.token]) {
      await fails(clientOf(wrong).list({}), Code.Unauthenticated)
      await fails(collect(clientOf(wrong).start(program('true'))), Code.Unauthenticated)
    }
    // As E2B's clients send it, with the user of the computer.
    const headers = { 'x-access-token': other.token, authorization: `Basic ${btoa('root:')}` }
    const { stdout } = await collect(clientOf('', { headers }).start(program('id -un')))
    assert.equal(stdout, 'root\n')
  })

  test('revoking a session ends its streams, and not its processes', async () => {
    const { computerId: id, token: own, sessionId } = await newSession()
    const client = clientOf(own)
    const output = await begin(client.start({ process: { cmd: 'cat' }, tag: 'kept' }))
    async function* messages(): AsyncGenerator<MessageInitShape<typeof StreamInputRequestSchema>> {
      yield { event: { case: 'start' as const, value: { process: tagged('kept') } } }
      await new Promise(() => {})
    }
    const ends = [fails(collect(output.rest), Code.Unauthenticated, /revoked/), client.streamInput(messages())]
    const input = ends[1]!.then(
      () => assert.fail('it did not end'),
      () => {},
    )
    await until(
      async () => server.log().includes('process.Process'),
      () => true,
    )
    await server.call('DELETE', `/v1/computers/${id}/access-sessions/${sessionId}`)
    await ends[0]
    await input
    await fails(client.list({}), Code.Unauthenticated)
    const next = await server.post(`/v1/computers/${id}/access-sessions`, { kind: 'exec' })
    const { processes } = await clientOf(next.body.session.connect_token).list({})
    assert.deepEqual(
      processes.map(({ tag }) => tag),
      ['kept'],
    )
  })

  test('a client that does not read is cut off when its session ends, and the process goes on', async () => {
    const { computerId: id, token: own, sessionId } = await newSession()
    const request = httpRequest(`${server.url}/process.Process/Start`, {
      method: 'POST',
      headers: { authorization: `Bearer ${own}`, 'content-type': 'application/json' },
    })
    request.end(JSON.stringify({ command: ['head', '-c', '1000000000', '/dev/zero'] }))
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.pause()
    const [process] = server.driver.processesOn(id)
    const printed = () => process!.outputEnd()
    // It waits for its reader, who waits for the client: nothing moves any more.
    let [before, unmoved] = [0, 0]
    await until(printed, (end) => {
      unmoved = end === before ? unmoved + 1 : 0
      before = end
      return end > 0 && unmoved === 20
    })
    await server.call('DELETE', `/v1/computers/${id}/access-sessions/${sessionId}`)
    await until(printed, (end) => end > before)
    const closed = new Promise((resolve) => response.on('close', resolve))
    response.on('error', () => {}).resume()
    await closed
    assert.equal(response.complete, false)
    await endPrograms(id)
  })

  test('requests that are too large, or not Connect, are refused in its form', async () => {
    const ask = async (path: string, body: string, type: string) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': type }
      const answer = await fetch(`${server.url}/process.Process/${path}`, { method: 'POST', headers, body })
      const text = await answer.text()
      return [answer.status, text === '' ? '' : JSON.parse(text).code]
    }
    const json = 'application/json'
    const many = JSON.stringify({ command: Array.from({ length: limits.bodyValues + 2 }, () => 'a') })
    for (const [path, body, type, expected] of [
      ['SendInput', '{"process":{"pid":1},"input":{"stdin":"!"}}', json, [400, 'invalid_argument']],
      ['SendInput', '{"process":{"pid":4294967296}}', json, [400, 'invalid_argument']],
      ['Start', many, json, [429, 'resource_exhausted']],
      ['Start', ' '.repeat(limits.commandBodyBytes + 1), json, [413, 'resource_exhausted']],
      ['Start', 'x', 'application/grpc', [400, 'invalid_argument']],
      ['List', '{}', 'application/grpc-web+proto', [415, '']],
      ['StreamInput', '{}', json, [415, '']],
      ['None', '{}', json, [501, 'unimplemented']],
      ['None', '{}', 'application/connect+json', [404, 'unimplemented']],
    ] as const)
      assert.deepEqual(await ask(path, body, type), expected, `${path} ${type} ${body.slice(0, 40)}`)
    assert.equal((await fetch(`${server.url}/process.Process/List`)).status, 405)
    assert.ok(computerId)
  })
})
