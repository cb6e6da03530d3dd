import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { limits } from '../../src/config/limits.ts'
import { skipsWithoutDiskLimits } from '../support/disk-limits.ts'
import { newSession, TestServer, until } from '../support/server.ts'
import { connectSocket, SocketClient } from './socket-client.ts'
import { readFrames } from './sse-frames.ts'

describe('the WebSocket', { timeout: 300_000 }, () => {
  let server: TestServer
  let client: SocketClient
  const sessionId = newSession()

  before(async () => {
    server = await TestServer.start()
    client = await SocketClient.open(server)
  })
  after(async () => {
    await client.close()
    await server.stop()
  })

  const exec = (fields: Record<string, unknown>) => client.ask({ type: 'exec', sessionId, ...fields })
  const process = (action: string, fields: Record<string, unknown>) =>
    client.ask({ type: 'process', action, sessionId, ...fields })
  const started = async (fields: Record<string, unknown>) => {
    const id = client.begin({ type: 'exec', sessionId, stream: true, ...fields })
    const { data } = await client.next((message) => message.id === id && message.type === 'start')
    return { id, processId: data.processId as string }
  }
  const shows = (id: number, text: string) =>
    until(
      () => client.text(id),
      (shown) => shown.includes(text),
    )

  describe('requests', () => {
    test('the response to ping contains its id, a number or a string', async () => {
      client.send({ type: 'ping', id: 'mine' })
      const pong = await client.next(({ id }) => id === 'mine')
      assert.equal(pong.type, 'pong')
      assert.ok(!Number.isNaN(Date.parse(pong.data.timestamp)))
      assert.equal((await client.ask({ type: 'ping' })).type, 'pong')
    })

    test('help describes every message of the discovery document, with a working example', async () => {
      const { body } = await server.call('GET', '/', undefined, { token: null })
      const { data } = await client.ask({ type: 'help' })
      const types = new Set(data.messages.map(({ type }: { type: string }) => type))
      assert.deepEqual([...types], body.websocket.messages)
      assert.equal(body.websocket.url, `${server.url.replace('http', 'ws')}/ws`)
      for (const name of 'help ping exec interpret read write writeMany list process expose memory_write memory_read memory_list memory_delete memory_usage balance'.split(
        ' ',
      ))
        assert.ok(types.has(name), name)
      const own = await SocketClient.open(server, { token: await server.newAccount() })
      for (const { type, action, description, params, returns, example } of data.messages) {
        assert.ok(description && params && returns, `${type} ${action}`)
        // The usage takes no fields, and the process ids of examples do not exist.
        if (!example || ['process', 'memory_read', 'read', 'memory_delete'].includes(type)) continue
        const answer = await own.ask({ type, ...example })
        assert.notEqual(answer.type, 'error', `${type} ${action}: ${JSON.stringify(answer.data)}`)
      }
      await own.close()
    })

    test('fields are beside the type, or under data', async () => {
      assert.equal((await exec({ command: 'echo flat' })).data.result.stdout, 'flat\n')
      const { data } = await client.ask({ type: 'exec', data: { sessionId, command: 'echo under' } })
      assert.equal(data.result.stdout, 'under\n')
    })

    test('several requests run at once, and each response has the id of its request', async () => {
      const ids = Array.from({ length: 20 }, (_, index) =>
        client.begin({ type: 'exec', sessionId, command: `sleep 0.${index % 3}; echo ${index}` }),
      )
      const answers = await Promise.all(ids.map((id) => client.answerTo(id)))
      assert.deepEqual(
        answers.map(({ data }) => data.result.stdout),
        ids.map((_, index) => `${index}\n`),
      )
    })

    test('a second request with the same id is refused without the id, and the first is answered', async () => {
      const id = 'same'
      client.send({ type: 'exec', id, command: 'sleep 1; echo first' })
      client.send({ type: 'ping', id })
      const refusal = await client.next(({ type, data }) => type === 'error' && data.id === id)
      assert.equal(refusal.id, undefined, 'it would be mistaken for the response to the first')
      assert.deepEqual([refusal.data.code, refusal.data.field], ['CONFLICT', 'id'])
      assert.match(refusal.data.error, /another one with the id "same" is not answered yet/)
      assert.equal((await client.answerTo(id)).data.result.stdout, 'first\n')
      client.send({ type: 'ping', id })
      await client.next((message) => message.type === 'pong' && message.id === id)
      // A number and a string of its digits are different ids.
      client.send({ type: 'exec', id: 77_001, command: 'sleep 1' })
      client.send({ type: 'ping', id: '77001' })
      await client.next((message) => message.type === 'pong' && message.id === '77001')
      assert.equal((await client.answerTo(77_001)).type, 'exec_result')
    })

    test('an account cannot reach objects of another account', async () => {
      const other = await SocketClient.open(server, { token: await server.newAccount() })
      const { processId } = await started({ command: 'cat', stdin: true })
      for (const action of ['attach', 'stdin', 'eof', 'get', 'kill', 'detach']) {
        const { type, data } = await other.ask({ type: 'process', action, processId, sessionId, text: 'x' })
        assert.equal(type, 'error', action)
        assert.match(data.code, /NOT_FOUND|INVALID_REQUEST/, action)
      }
      assert.equal((await other.ask({ type: 'exec', sessionId, command: 'ls /workspace' })).data.result.stdout, '')
      await process('eof', { processId })
      await other.close()
    })
  })

  describe('exec', () => {
    test('returns output, exit code and reason', async () => {
      const { type, data } = await exec({ command: 'echo hi; echo oh >&2; exit 3' })
      assert.deepEqual([type, data.status, data.sessionId], ['exec_result', 'completed', sessionId])
      const { stdout, stderr, exitCode, reason } = data.result
      assert.deepEqual([stdout, stderr, exitCode, reason], ['hi\n', 'oh\n', 3, 'exited'])
    })

    test('accepts code of a language, an argv, variables, a folder and a user', async () => {
      assert.equal((await exec({ code: 'print(6*7)', language: 'python' })).data.result.stdout, '42\n')
      assert.equal((await exec({ argv: ['printf', '<%s>', 'a  b', '$X'] })).data.result.stdout, '<a  b><$X>')
      const { data } = await exec({ command: 'echo "$A"; pwd; id -un', env: { A: 'ü' }, cwd: '/tmp', user: 'root' })
      assert.equal(data.result.stdout, 'ü\n/tmp\nroot\n')
    })

    test('passes all of its input at once, more than a pipe holds', async () => {
      const stdin = 'zeile\n'.repeat(500_000)
      const { data } = await exec({ command: 'wc -l', stdin })
      assert.equal(data.result.stdout.trim(), '500000')
    })

    test('a time limit ends it, and a suggestion helps', async () => {
      const id = client.begin({ type: 'exec', sessionId, command: 'sleep 60', timeout: 200 })
      const { data } = await client.answerTo(id)
      assert.deepEqual([data.status, data.result.reason], ['timeout', 'timeout'])
      const suggestion = await client.next((message) => message.type === 'suggestion' && message.id === id)
      assert.equal(suggestion.data.category, 'timeout')
      const action = { type: 'process', action: 'start', command: 'sleep 60', sessionId }
      assert.deepEqual(suggestion.data.action, action)
    })

    test('streams output as it arrives, stdout and stderr separately', async () => {
      const { id, processId } = await started({ command: 'echo one; read x; echo "two $x" >&2; exit 5', stdin: true })
      await shows(id, 'one\n')
      await process('stdin', { processId, text: 'ä\n' })
      const { data } = await client.answerTo(id)
      assert.deepEqual([client.text(id), client.text(id, 'stderr')], ['one\n', 'two ä\n'])
      assert.deepEqual([data.status, data.result.exitCode, 'stdout' in data.result], ['completed', 5, false])
    })

    test('text is never cut inside a character, and other bytes are sent as base64', async () => {
      const write = String.raw`import os,time
for byte in 'aé€😀'.encode(): os.write(1, bytes([byte])); time.sleep(0.03)`
      const { id } = await started({ code: write, language: 'python' })
      await client.answerTo(id)
      const texts = client.received.filter((message) => message.id === id && message.type === 'stdout')
      assert.equal(texts.map(({ data }) => data.text).join(''), 'aé€😀')
      assert.ok(texts.every(({ data }) => !data.text.includes('\ufffd')))
      const bytes = await started({ command: String.raw`printf '\377\000\201'`, encoding: 'base64' })
      await client.answerTo(bytes.id)
      const piece = client.received.find((message) => message.id === bytes.id && message.type === 'stdout')
      assert.equal(piece?.data.base64, '/wCB')
    })

    test('a terminal has its size, can be resized, and turns Ctrl-C into a signal', async () => {
      const command = 'stty size; trap "stty size; exit 7" INT; echo ready; while :; do sleep 0.05; done'
      const { id, processId } = await started({ command, tty: { cols: 90, rows: 30 } })
      await shows(id, 'ready')
      assert.match(client.text(id), /^30 90\r\n/)
      await process('resize', { processId, cols: 120, rows: 40 })
      await process('stdin', { processId, text: '\u0003' })
      assert.equal((await client.answerTo(id)).data.result.exitCode, 7)
      assert.match(client.text(id), /40 120\r\n$/)
    })

    test('input in many parts arrives in order, whatever its content', async () => {
      const { id, processId } = await started({ command: 'sha256sum', stdin: true })
      const parts = Array.from({ length: 40 }, (_, index) => Buffer.alloc(20_000, index))
      const sent = parts.map((part) =>
        client.begin({ type: 'process', action: 'stdin', sessionId, processId, base64: part.toString('base64') }),
      )
      const end = client.begin({ type: 'process', action: 'eof', sessionId, processId })
      for (const one of [...sent, end]) assert.equal((await client.answerTo(one)).data.success, true)
      await client.answerTo(id)
      const expected = createHash('sha256').update(Buffer.concat(parts)).digest('hex')
      assert.equal(client.text(id).slice(0, 64), expected)
    })

    test('input that a program does not read blocks nothing else', async () => {
      const { id, processId } = await started({ command: 'sleep 60', stdin: true })
      const stuck = Array.from({ length: 8 }, () =>
        client.begin({ type: 'process', action: 'stdin', sessionId, processId, text: 'x'.repeat(500_000) }),
      )
      assert.equal((await exec({ command: 'echo past' })).data.result.stdout, 'past\n')
      await process('signal', { processId, signal: 'SIGKILL' })
      assert.equal((await client.answerTo(id)).data.result.signal, 'SIGKILL')
      for (const one of stuck) await client.answerTo(one)
    })
  })

  describe('process', () => {
    test('start, attach, list, get and kill work together', async () => {
      const processId = newSession()
      const command = 'echo begun; while read line; do echo "got $line"; done; sleep 60'
      const { data } = await process('start', { processId, command })
      assert.ok(data.hints.checkStatus)
      const id = client.begin({ type: 'process', action: 'attach', sessionId, processId })
      await client.answerTo(id)
      await shows(id, 'begun\n')
      const list = await process('list', {})
      assert.ok(list.data.processes.some((one: { processId: string }) => one.processId === processId))
      assert.equal((await process('get', { processId })).data.logs.stdout, 'begun\n')
      assert.equal((await process('kill', { processId })).data.process.status, 'killed')
      const exit = await client.next((message) => message.id === id && message.type === 'exit')
      assert.deepEqual([exit.data.status, exit.data.signal], ['killed', 'SIGTERM'])
      const unique: string = data.id
      for (const name of [processId, unique]) {
        const again = client.begin({ type: 'process', action: 'attach', sessionId, processId: name })
        await client.next((message) => message.id === again && message.type === 'exit')
        const events = client.received.filter((message) => message.id === again)
        assert.deepEqual(events.map(({ type }) => type).toSorted(), ['exit', 'process_result', 'stdout'])
        for (const event of events) assert.equal(event.data.processId, name, event.type)
        assert.equal(events.find(({ type }) => type === 'process_result')?.data.id, unique)
      }
    })

    test('attach reads from a cursor on, also from an ended process', async () => {
      const processId = newSession()
      await process('start', { processId, command: 'for i in 1 2 3; do echo $i; sleep 0.05; done' })
      const id = client.begin({ type: 'process', action: 'attach', sessionId, processId })
      await client.next((message) => message.id === id && message.type === 'exit')
      const first = client.received.find((message) => message.id === id && message.type === 'stdout')
      const again = client.begin({
        type: 'process',
        action: 'attach',
        sessionId,
        processId,
        cursor: first!.data.cursor,
      })
      await client.next((message) => message.id === again && message.type === 'exit')
      assert.equal(first!.data.text + client.text(again), '1\n2\n3\n')
    })

    test('attach from an invalid cursor is refused with one response', async () => {
      const processId = newSession()
      await process('start', { processId, command: 'true' })
      const id = client.begin({ type: 'process', action: 'attach', sessionId, processId, cursor: 'x' })
      const { type, data } = await client.answerTo(id)
      assert.deepEqual([type, data.field], ['error', 'cursor'])
      assert.equal(client.received.filter((message) => message.id === id).length, 1)
    })

    test('two clients attach at once; one that detaches receives no more, and the process continues', async () => {
      const other = await SocketClient.open(server)
      const { id, processId } = await started({ command: 'cat', stdin: true })
      const seen = other.begin({ type: 'process', action: 'attach', sessionId, processId })
      await other.answerTo(seen)
      await process('stdin', { processId, text: 'both\n' })
      await shows(id, 'both')
      await until(
        () => other.text(seen),
        (text) => text.includes('both'),
      )
      await other.ask({ type: 'process', action: 'detach', sessionId, processId })
      await process('stdin', { processId, text: 'one\n' })
      await shows(id, 'one')
      await process('eof', { processId })
      assert.equal((await client.answerTo(id)).data.result.exitCode, 0)
      assert.equal(other.text(seen), 'both\n')
      await other.close()
    })

    test('attaching neither creates nor starts a sandbox', async () => {
      const { data } = await client.ask({ type: 'process', action: 'attach', processId: 'x', sessionId: newSession() })
      assert.equal(data.code, 'NOT_FOUND')
    })
  })

  describe('files', () => {
    test('write, read and list work as over HTTP', async () => {
      const content = 'ä'.repeat(100_000)
      await client.ask({ type: 'write', sessionId, path: 'own/a.txt', content })
      const { data } = await client.ask({ type: 'read', sessionId, path: 'own/a.txt' })
      assert.ok(data.content === content)
      const list = await client.ask({ type: 'list', sessionId, path: 'own' })
      assert.deepEqual(
        list.data.files.map(({ name, size }: { name: string; size: number }) => [name, size]),
        [['a.txt', 200_000]],
      )
    })

    test('writeMany writes all files, or none when one cannot be written', async () => {
      await client.ask({ type: 'write', sessionId, path: 'many/old', content: 'old', mode: 0o600 })
      const files = [
        { path: 'many/old', content: 'new' },
        { path: 'many/deep/b', content: 'AAEC', encoding: 'base64', mode: 0o755 },
      ]
      const failed = await client.ask({
        type: 'writeMany',
        sessionId,
        files: [...files, { path: 'many/deep', content: 'is a folder by then' }],
      })
      assert.equal(failed.data.code, 'INVALID_REQUEST')
      assert.match(failed.data.error, /many\/deep/)
      const ls = 'cd many; cat old; find . -type f | sort; stat -c %a old'
      assert.equal((await exec({ command: ls })).data.result.stdout, 'old./old\n600\n')
      const { data } = await client.ask({ type: 'writeMany', sessionId, files })
      assert.deepEqual(data.files, [
        { path: '/workspace/many/old', size: 3 },
        { path: '/workspace/many/deep/b', size: 3 },
      ])
      assert.equal(
        (await exec({ command: `${ls} deep/b; od -An -tx1 deep/b` })).data.result.stdout,
        'new./deep/b\n./old\n600\n755\n 00 01 02\n',
      )
    })

    test('writeMany undoes files that were in place when a later one fails', async (t) => {
      if (skipsWithoutDiskLimits(t, server)) return
      await exec({ command: 'mkdir -p back/gone; echo -n kept > back/one; ln -s nowhere/at/all back/link' })
      const big = 'x'.repeat(4_000_000)
      const files = [
        { path: 'back/one', content: 'changed' },
        { path: 'back/two', content: 'made' },
        ...Array.from({ length: 8 }, (_, index) => ({ path: `back/big${index}`, content: big })),
      ]
      await exec({ command: 'head -c 2G /dev/zero > filler; true', timeout: 120_000 })
      const { data } = await client.ask({ type: 'writeMany', sessionId, files })
      await exec({ command: 'rm -f filler; sync' })
      assert.equal(data.code, 'DISK_FULL')
      const left = await exec({ command: 'cd back; cat one; find . -type f' })
      assert.equal(left.data.result.stdout, 'kept./one\n')
    })
  })

  describe('invalid messages', () => {
    const refusals: [string, string | Record<string, unknown>, RegExp, string?][] = [
      ['no JSON', '{"type":', /not valid JSON/],
      ['a list', '[1]', /not a JSON object/],
      ['no type', {}, /"type"/, 'type'],
      ['an unknown type', { type: 'nope' }, /"nope": there is no such type; send .*help/, 'type'],
      ['a misspelt type', { type: 'exce' }, /"exce": .*did you mean "exec"\?.*help/, 'type'],
      ['a type of another kind', { type: 7 }, /"type"/, 'type'],
      ['a name of the language', { type: 'constructor' }, /"constructor"/, 'type'],
      ['a missing field', { type: 'read' }, /"path"/, 'path'],
      ['a wrong field', { type: 'exec', command: 1 }, /"command"/, 'command'],
      ['two commands', { type: 'exec', command: 'x', argv: ['y'] }, /one of/, 'command'],
      ['no language', { type: 'exec', code: 'x' }, /"language"/, 'language'],
      ['an unknown language', { type: 'exec', code: 'x', language: 'cobol' }, /"language"/, 'language'],
      ['a size that is none', { type: 'exec', command: 'x', tty: { cols: 0, rows: 1 } }, /tty/, 'tty.cols'],
      ['no action', { type: 'process' }, /"action".*attach/, 'action'],
      ['an unknown action', { type: 'process', action: 'fly' }, /"action"/, 'action'],
      ['a cursor that is none', { type: 'process', action: 'attach', processId: 'x', cursor: 'abc' }, /cursor|find/],
      ['fields in two places', { type: 'exec', command: 'x', data: { command: 'y' } }, /"command".*"data"/, 'command'],
      ['data of another kind', { type: 'exec', data: 'x' }, /"data"/, 'data'],
      ['a process that is none', { type: 'process', action: 'eof', processId: 'none' }, /"none"/],
      ['a program that is none', { type: 'exec', argv: ['no-such-program'] }, /no-such-program/],
      [
        'a path twice',
        {
          type: 'writeMany',
          files: [
            { path: 'a', content: '' },
            { path: '/workspace/a', content: '' },
          ],
        },
        /twice/,
      ],
      ['a port that is reserved', { type: 'expose', port: 3000 }, /3000/, 'port'],
    ]
    for (const [what, message, error, field] of refusals)
      test(`${what} is answered with an error in the envelope, and the connection stays open`, async () => {
        const own = await SocketClient.open(server)
        own.send(message)
        const { type, data } = await own.next(() => true)
        assert.equal(type, 'error')
        assert.match(data.error, error)
        if (field) assert.equal(data.field, field)
        for (const name of ['code', 'action', 'agentInstruction', 'requestId'])
          assert.equal(typeof data[name], 'string')
        assert.equal((await own.ask({ type: 'ping' })).type, 'pong')
        await own.close()
      })

    test('a binary message and an id of another type are errors too', async () => {
      const own = await SocketClient.open(server)
      own.socket.send(Buffer.from('{"type":"ping"}'))
      assert.match((await own.next(() => true)).data.error, /binary/)
      own.send({ type: 'ping', id: { a: 1 } })
      assert.equal((await own.next(({ data }) => data.field === 'id')).type, 'error')
      assert.equal((await own.ask({ type: 'ping' })).type, 'pong')
      await own.close()
    })

    test('a message of the maximum size is accepted; a larger one gets an error before 1009', async () => {
      const own = await SocketClient.open(server)
      const content = 'x'.repeat(30 * 1024 * 1024)
      const { data } = await own.ask({ type: 'write', sessionId, path: 'large', content })
      assert.equal(data.size, content.length)
      await own.ask({ type: 'exec', sessionId, command: 'rm large' })
      const closed = once(own.socket, 'close')
      own.send({ type: 'write', sessionId, path: 'larger', content: 'x'.repeat(limits.jsonBodyBytes) })
      const { data: refusal } = await own.next(({ type }) => type === 'error')
      assert.deepEqual([refusal.code, refusal.maxBytes], ['TOO_LARGE', limits.jsonBodyBytes])
      const [code, reason] = await closed
      assert.deepEqual([code, String(reason)], [1009, 'a message is too large'])
    })

    test('requests beyond the concurrent limit are refused; those under way continue', async () => {
      const own = await SocketClient.open(server)
      const ids = Array.from({ length: limits.socketRequests }, () =>
        own.begin({ type: 'exec', sessionId, command: 'sleep 1; echo done' }),
      )
      const { type, data } = await own.ask({ type: 'ping' })
      assert.deepEqual([type, data.code], ['error', 'LIMIT_REACHED'])
      for (const id of ids) assert.equal((await own.answerTo(id)).data.result.stdout, 'done\n')
      assert.equal((await own.ask({ type: 'ping' })).type, 'pong')
      await own.close()
    })
  })

  describe('the handshake', () => {
    const refused = async (options: Parameters<typeof connectSocket>[1]) => {
      const socket = connectSocket(server, options)
      const [, response] = await once(socket, 'unexpected-response')
      let text = ''
      for await (const chunk of response) text += chunk
      return { status: response.statusCode as number, body: JSON.parse(text) as Record<string, unknown> }
    }

    test('a missing and a wrong token are refused with 401 and the envelope', async () => {
      for (const options of [{ token: null }, { token: 'wrong' }, { token: null, path: '/ws?token=wrong' }]) {
        const { status, body } = await refused(options)
        assert.deepEqual([status, body.code, body.action], [401, 'UNAUTHENTICATED', 'LOGIN'])
        assert.equal(typeof body.requestId, 'string')
      }
    })

    test('a token in the URL opens nothing, and is in no log', async () => {
      for (const name of ['token', 'ticket']) {
        const { status, body } = await refused({ token: null, path: `/ws?${name}=${server.token}` })
        assert.deepEqual([status, body.code], [401, 'UNAUTHENTICATED'])
        assert.match(String(body.error), /POST \/ws\/ticket/)
      }
      assert.equal(server.log().includes(server.token), false)
    })

    test('POST /ws/ticket returns a ticket for one connection, valid as long as its token', async () => {
      const { status, body, headers } = await server.post('/ws/ticket')
      assert.deepEqual([status, headers.get('cache-control'), body.expiresIn], [200, 'no-store', 60])
      assert.equal(body.url, `${server.url.replace('http', 'ws')}/ws?ticket=${body.ticket}`)
      assert.ok(!body.url.includes(server.token))
      const path = `/ws?ticket=${body.ticket}`
      const own = await SocketClient.open(server, { token: null, path })
      assert.equal((await own.ask({ type: 'ping' })).type, 'pong')
      await own.close()
      assert.equal((await refused({ token: null, path })).status, 401)
      assert.equal((await server.call('POST', '/balance', undefined, { token: body.ticket })).status, 405)
      assert.equal((await server.call('GET', '/balance', undefined, { token: body.ticket })).status, 401)
      assert.equal((await server.post('/ws/ticket', {}, { token: null })).status, 401)
    })

    test('a ticket ends with the token that requested it, and so does its connection', async () => {
      const { body: key } = await server.post('/users/me/api-keys', { name: 'for a ticket' })
      const [first, second] = await Promise.all(
        [1, 2].map(async () => (await server.post('/ws/ticket', {}, { token: key.api_key })).body.ticket as string),
      )
      const own = await SocketClient.open(server, { token: null, path: `/ws?ticket=${first}` })
      const closed = once(own.socket, 'close')
      const revoked = await server.call('DELETE', '/users/me/api-keys', { key_id: key.key_id })
      assert.equal(revoked.status, 200)
      const [code] = await closed
      assert.equal(code, 1008)
      assert.equal((await refused({ token: null, path: `/ws?ticket=${second}` })).status, 401)
    })

    test('POST /ws/session responds as deprecated, with a ticket for one connection', async () => {
      const { status, body, headers } = await server.post('/ws/session')
      assert.deepEqual([status, body.deprecated], [200, true])
      assert.match(body.replacement, /\/ws/)
      assert.match(headers.get('deprecation') ?? '', /^@\d+$/)
      const own = await SocketClient.open(server, { token: null, path: `/ws?token=${body.token}` })
      assert.equal((await own.ask({ type: 'memory_usage' })).type, 'memory_usage_result')
      await own.close()
      assert.equal((await refused({ token: null, path: `/ws?token=${body.token}` })).status, 401)
      assert.equal((await server.post('/ws/session', {}, { token: null })).status, 401)
    })

    test('interpret keeps variables between messages, and returns values and errors', async () => {
      const sessionId = newSession()
      const ask = async (code: string) => (await client.ask({ type: 'interpret', code, sessionId })).data
      await ask('v = 6')
      assert.equal((await ask('v * 7')).results[0].text, '42')
      assert.equal((await ask('v / 0')).error.name, 'ZeroDivisionError')
    })

    test('GET /ws without a handshake explains itself', async () => {
      const { status, body, headers } = await server.call('GET', '/ws')
      assert.deepEqual([status, body.code, headers.get('upgrade')], [426, 'UPGRADE_REQUIRED', 'websocket'])
    })

    test('another path is not found', async () => {
      const socket = connectSocket(server, { path: '/wss' })
      const [, response] = await once(socket, 'unexpected-response')
      assert.equal(response.statusCode, 404)
    })
  })

  test('blank code is a program that does nothing, wherever code is taken', async () => {
    for (const code of ['', ' \n\t\n '])
      for (const language of ['python', 'javascript', 'shell']) {
        const fields = { code, language, sessionId }
        const quiet = { stdout: '', stderr: '', exitCode: 0 }
        const { exitCode, stdout, stderr } = (await server.done('/execute', fields)).result
        assert.deepEqual({ stdout, stderr, exitCode }, quiet)
        const frames = await Array.fromAsync(readFrames(await stream(fields)))
        assert.deepEqual(
          frames.map(({ event, data }) => [event, data.exitCode]),
          [
            ['start', undefined],
            ['complete', 0],
          ],
        )
        assert.equal((await client.ask({ type: 'exec', ...fields })).data.result.exitCode, 0)
        if (language === 'shell') continue
        for (const answer of [
          await server.done('/interpret', fields),
          (await client.ask({ type: 'interpret', ...fields })).data,
        ])
          assert.deepEqual([answer.status, answer.results, answer.error], ['completed', [], null])
      }
    for (const command of ['', ' \n']) {
      assert.equal((await client.ask({ type: 'exec', command, sessionId })).data.result.exitCode, 0)
      const { id: processId } = await server.done('/process/start', { command, sessionId })
      const { process: ended } = await until(
        () => server.done('/process/get', { processId, sessionId }),
        (answer) => answer.process.status !== 'running',
      )
      assert.deepEqual([ended.status, ended.exitCode], ['completed', 0])
    }
  })

  function stream(body: Record<string, unknown>): Promise<Response> {
    return fetch(`${server.url}/execute/stream`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  test('suggestions name what is missing', async () => {
    const cases: [Record<string, unknown>, string, string][] = [
      [
        { command: 'PATH=/none; dig example.org' },
        'missing_command',
        'sudo apt-get update && sudo apt-get install -y dnsutils',
      ],
      [{ code: 'import cv2', language: 'python' }, 'missing_module', 'pip install opencv-python-headless'],
      [{ code: 'require("left-pad/x")', language: 'javascript' }, 'missing_module', 'npm install left-pad'],
      [{ command: 'cowsay hi' }, 'missing_command', 'sudo apt-get update && sudo apt-get install -y cowsay'],
    ]
    for (const [fields, category, command] of cases) {
      const id = client.begin({ type: 'exec', sessionId, ...fields })
      const { data } = await client.next((message) => message.type === 'suggestion' && message.id === id)
      assert.deepEqual([data.category, data.sessionId], [category, sessionId])
      assert.deepEqual(data.action, { type: 'exec', command, timeout: 0, sessionId })
      assert.match(data.message, /^The .* is not installed\. .*nstall /)
    }
    const hungry = client.begin({
      type: 'exec',
      sessionId,
      code: 'x = "x" * 10**9',
      language: 'python',
      stream: true,
    })
    const { data } = await client.next((message) => message.type === 'suggestion' && message.id === hungry)
    assert.deepEqual([data.category, data.action.setting], ['out_of_memory', 'CARREL_COMPUTER_MEMORY_MIB'])
    assert.equal(data.action.value, 512)
  })

  test('a port that a program opens is suggested, with the action that exposes it', async () => {
    const own = await SocketClient.open(server)
    const opened = (port: number) =>
      own.next(({ type, data }) => type === 'suggestion' && data.category === 'port_detected' && data.port === port)
    const server8123 = 'exec python3 -m http.server 8123'
    const web = newSession()
    await own.ask({ type: 'process', action: 'start', processId: web, sessionId, command: server8123 })
    const { id, data } = await opened(8123)
    assert.deepEqual(data.action, { type: 'expose', port: 8123, sessionId })
    assert.deepEqual([id, data.processId], [undefined, web])
    assert.equal(data.message, 'A server listens on port 8123. Expose the port to get its preview URL.')
    const { data: exposed } = await own.ask(data.action)
    assert.match(exposed.url, /8123/)
    const idOfClosed = own.begin({ type: 'expose', port: 8122, sessionId })
    const closed = await own.next((one) => one.type === 'suggestion' && one.id === idOfClosed)
    assert.equal(closed.data.category, 'port_closed')
    assert.match(closed.data.message, /^Nothing listens on port 8122 yet/)
    assert.equal((await own.answerTo(idOfClosed)).data.port, 8122)
    // The suggestion for a port that cannot be exposed says so, and has no action.
    await own.ask({ type: 'exec', sessionId, command: 'python3 -m http.server 3001', timeout: 1500 })
    assert.equal((await opened(3001)).data.action, undefined)
    // A server that a kernel runs is nobody's process.
    const serve = 'import socket\nkept = socket.create_server(("127.0.0.2", 8124))'
    await own.ask({ type: 'interpret', code: serve, sessionId })
    const inKernel = (await opened(8124)).data
    assert.deepEqual([inKernel.processId, inKernel.action], [undefined, undefined])
    assert.match(inKernel.message, /^A server listens on port 8124 of 127\.0\.0\.2, where previews cannot reach it\./)
    await own.ask({ type: 'process', action: 'kill', sessionId, processId: web })
    await own.close()
  })

  test("Node's own WebSocket works with it", async () => {
    const { body } = await server.post('/ws/session')
    const socket = new globalThis.WebSocket(body.url)
    await once(socket, 'open')
    socket.send(JSON.stringify({ type: 'exec', id: 1, command: 'echo hi', sessionId }))
    const [event] = (await once(socket, 'message')) as [{ data: string }]
    assert.equal(JSON.parse(event.data).data.result.stdout, 'hi\n')
    socket.close()
  })
})
