import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { Compile } from 'typebox/compile'
import {
  addExampleDataset,
  callExample,
  createExampleComputer,
  exampleOf,
  needsSecret,
  needsState,
  type Operation,
} from '../support/call-example.ts'
import type { DocumentedMessage } from '../../src/http/documented-message.ts'
import { successOf } from '../../src/http/success-of.ts'
import { jsonSchemaOf } from '../support/json-schema.ts'
import { differences, isRecording, recordAnswers, shownAnswer } from '../support/example-answers.ts'
import { TestServer } from '../support/server.ts'
import { connectSocket, SocketClient } from '../paperpod/socket-client.ts'
import { readFrames, type Frame } from '../paperpod/sse-frames.ts'

/** The process that the examples name. */
const exampleProcess = 'qcjywd3tg81w7vdtpjn4'

describe('the examples of openapi.json', { timeout: 300_000 }, () => {
  let server: TestServer
  let token: string
  let document: { paths: Record<string, Record<string, Operation>> }
  let operations: { method: string; path: string; operation: Operation }[]
  /** What the server has answered to examples, by route. */
  const answers: Record<string, unknown> = {}

  before(async () => {
    server = await TestServer.start({ env: { CARREL_PLAY_MONEY: 'on' } })
    token = await server.newAccount()
    await createExampleComputer(server, token)
    await addExampleDataset(server)
    document = (await server.call('GET', '/openapi.json', undefined, { token: null })).body
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    )
  })
  after(async () => {
    if (isRecording) recordAnswers(answers)
    await server.stop()
  })

  /** Asserts that an answer has everything that the documents show, or keeps the answer to be shown. */
  const assertShown = (name: string, body: unknown) => {
    answers[name] = body
    if (!isRecording) assert.deepEqual(differences(shownAnswer(name), body), [], name)
  }

  /** Requests a stream, which may not end by itself. */
  const firstEvent = async (path: string, example: Record<string, unknown>): Promise<string> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const response = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(example) })
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
    let seen = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      seen += chunk
      if (seen.includes('\n\n')) break
    }
    return seen
  }

  test('exist for every operation with input', () => {
    for (const { method, path, operation } of operations) {
      for (const media of Object.values(operation.requestBody?.content ?? {})) {
        assert.ok(media.example, `${method} ${path}`)
        const { required = [] } = media.schema as { required?: string[] }
        for (const field of required) assert.ok(field in media.example, `${method} ${path} ${field}`)
      }
      for (const { name, required, example } of operation.parameters ?? [])
        if (required) assert.notEqual(example, undefined, `${method} ${path} ${name}`)
    }
  })

  test('get the documented responses, in the order of the document', async () => {
    for (const { method, path, operation } of operations) {
      if (operation.responses['101'] || needsSecret.has(`${method} ${path}`) || needsState.has(`${method} ${path}`))
        continue
      const [succeeded, { content = {} }] = successOf(operation.responses)!
      if (content['text/event-stream']) {
        assert.match(await firstEvent(path, exampleOf(operation).example!), /^(id: \d+\n)?event: \w+\ndata: \{/, path)
        continue
      }
      const { status, headers, body } = await callExample(server, { method, path, ...exampleOf(operation) }, token)
      assert.equal(String(status), succeeded, `${method} ${path}: ${JSON.stringify(body).slice(0, 300)}`)
      if (status === 204) continue
      const type = headers.get('content-type')!.split(';')[0]!
      const media = content[type] ?? content['application/octet-stream']
      assert.ok(media, `${method} ${path} answers ${type}`)
      assert.deepEqual([...Compile(jsonSchemaOf(media.schema) as never).Errors(body)], [], `${method} ${path}`)
      if (type === 'application/json') assertShown(`${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`, body)
    }
  })

  /** Returns what checks the messages that the document describes for a route, by their names. */
  const messagesOf = (method: string, path: string) => {
    const found = operations.find((one) => one.method === method && one.path === path)!.operation['x-messages']!
    return new Map(found.map((message) => [`${message.from} ${message.name}`, message]))
  }
  const assertFits = (message: DocumentedMessage | undefined, value: unknown, what: string) => {
    assert.ok(message, `${what} is not documented`)
    assert.deepEqual([...Compile(message.schema as never).Errors(value)], [], `${what}: ${JSON.stringify(value)}`)
  }
  const stream = (path: string, body: object, signal?: AbortSignal) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    return fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body), signal })
  }

  test('of events have the documented fields', async () => {
    const seen = new Set<string>()
    const take = (path: string, { event, data }: Frame) => {
      assertFits(messagesOf('POST', path).get(`server ${event}`), data, `${path} ${event}`)
      seen.add(`${path} ${event}`)
    }
    const code = 'echo a; echo b >&2'
    for await (const frame of readFrames(await stream('/execute/stream', { code, language: 'shell' })))
      take('/execute/stream', frame)
    await server.post('/files/mkdir', { path: '/workspace/watched' }, { token })
    const changes = 'cd watched && echo 1 > a && echo 2 >> a && mv a b && rm b && cd .. && sleep 0.5 && rmdir watched'
    for await (const frame of readFrames(await stream('/watch', { path: '/workspace/watched' }))) {
      take('/watch', frame)
      if (frame.event === 'watching') await server.post('/execute', { code: changes, language: 'shell' }, { token })
    }
    for (const event of ['start', 'stdout', 'stderr', 'complete'])
      assert.ok(seen.has(`/execute/stream ${event}`), event)
    for (const event of ['watching', 'create', 'modify', 'rename', 'delete', 'stopped'])
      assert.ok(seen.has(`/watch ${event}`), event)
  })

  test('of messages on /ws get the shown answers, and events have the documented fields', async () => {
    const messages = messagesOf('GET', '/ws')
    const client = await SocketClient.open(server, { token })
    // The examples name a process that no server has; this one takes everything that they send.
    const begun = client.begin({ type: 'exec', command: 'sleep 60', tty: true })
    const { data } = await client.next(({ id, type }) => id === begun && type === 'start')
    const real = String(data.processId)
    const sent = [...messages.values()].filter(({ from }) => from === 'client')
    assert.ok(sent.length > 20)
    for (const { name, example } of sent) {
      const { id: _, ...message } = JSON.parse(JSON.stringify(example).replaceAll(exampleProcess, real))
      const answer = await client.ask(message)
      assert.notEqual(answer.type, 'error', `${name}: ${JSON.stringify(answer.data)}`)
      assertShown(`/ws ${name}`, JSON.parse(JSON.stringify({ ...answer, id: 7 }).replaceAll(real, exampleProcess)))
    }
    await client.ask({ type: 'exec', command: 'echo a; echo b >&2; nosuchcommand', stream: true })
    await client.ask({ type: 'nope' })
    client.begin({ type: 'process', action: 'attach', processId: 'web' })
    for (const type of ['suggestion', 'exit']) await client.next((message) => message.type === type)
    await client.close()
    const seen = new Set<string>()
    for (const message of client.received) {
      const event = messages.get(`server ${message.type}`)
      if (!event) continue
      assertFits(event, message, `/ws ${message.type}`)
      seen.add(message.type)
    }
    assert.deepEqual([...seen].toSorted(), ['error', 'exit', 'start', 'stderr', 'stdout', 'suggestion'])
  })

  test('of a program on /v1/exec get messages with the documented fields', async () => {
    const messages = messagesOf('GET', '/v1/exec')
    const socket = connectSocket(server, { path: '/v1/exec', token })
    const received: { type: string }[] = []
    socket.on('message', (bytes: Buffer, isBinary: boolean) => {
      if (!isBinary) received.push(JSON.parse(bytes.toString()))
    })
    await once(socket, 'open')
    socket.send(JSON.stringify(messages.get('client start')!.example))
    for (const name of ['client resize', 'client eof']) socket.send(JSON.stringify(messages.get(name)!.example))
    await once(socket, 'close')
    for (const message of received) assertFits(messages.get(`server ${message.type}`), message, message.type)
    const types = new Set(received.map(({ type }) => type))
    for (const type of ['started', 'cursor', 'exit']) assert.ok(types.has(type), type)
  })

  test('are refused without a token, with the documented error', async () => {
    const { components } = document as unknown as { components: { schemas: Record<string, object> } }
    const isError = Object.fromEntries(
      Object.entries(components.schemas).map(([name, schema]) => [
        `#/components/schemas/${name}`,
        Compile(jsonSchemaOf(schema) as never),
      ]),
    )
    let refused = 0
    for (const { method, path, operation } of operations) {
      if (!operation.responses['401'] || operation.security.length === 0) continue
      const { status, body } = await callExample(server, { method, path, ...exampleOf(operation) }, 'pp_sess_wrong')
      assert.equal(status, 401, `${method} ${path}`)
      const { $ref } = operation.responses['401'].content!['application/json']!.schema as { $ref: string }
      assert.deepEqual([...isError[$ref]!.Errors(body)], [], `${method} ${path}`)
      refused++
    }
    assert.ok(refused >= 15)
  })
})
