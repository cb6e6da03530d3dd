import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { limits } from '../../src/config/limits.ts'
import { appRoutes, nameOf } from '../support/app-routes.ts'
import { TestApp } from '../support/test-app.ts'
import { SocketClient } from './socket-client.ts'

/** What a way to run a shell command answers. */
interface Outcome {
  stdout?: string
  /** The field that was refused. */
  field?: string
}

interface Fields {
  env?: unknown
  timeout?: unknown
  sessionId?: unknown
}

describe('values that clients send as they think of them', { timeout: 120_000 }, () => {
  let app: TestApp
  let socket: SocketClient
  before(async () => {
    app = await TestApp.start()
    socket = await SocketClient.open(app)
  })
  after(() => app.stop())

  /** Each way runs a shell command with the given fields. */
  const ways: Record<string, (command: string, fields: Fields) => Promise<Outcome>> = {
    'POST /execute': async (code, fields) => {
      const { body } = await app.post('/execute', { code, language: 'shell', ...fields })
      return { stdout: body.result?.stdout, field: body.field }
    },
    'POST /execute/stream': async (code, fields) => {
      const { body } = await app.post('/execute/stream', { code, language: 'shell', ...fields })
      if (typeof body !== 'string') return { field: body.field }
      const events = [...body.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!))
      return { stdout: events.map(({ type, data }) => (type === 'stdout' ? data : '')).join('') }
    },
    'POST /process/start': async (command, fields) => {
      const { body } = await app.post('/process/start', { command, ...fields })
      if (!body.success) return { field: body.field }
      const { processId } = body
      for (;;) {
        const { logs } = await app.done('/process/get', { processId, sessionId: fields.sessionId })
        if (logs.done) return { stdout: logs.stdout }
      }
    },
    '/ws exec': async (command, fields) => {
      const { data } = await socket.ask({ type: 'exec', command, ...fields })
      return { stdout: data.result?.stdout, field: data.field }
    },
    '/ws process start': async (command, fields) => {
      const { data } = await socket.ask({ type: 'process', action: 'start', command, ...fields })
      if (!data.success) return { field: data.field }
      const { processId, sessionId } = data
      for (;;) {
        const { data: got } = await socket.ask({ type: 'process', action: 'get', processId, sessionId })
        if (got.logs.done) return { stdout: got.logs.stdout }
      }
    },
    '/v1/exec': async (command, { timeout, ...fields }) => {
      const client = new WebSocket(`${app.url.replace('http', 'ws')}/v1/exec`, {
        headers: { authorization: `Bearer ${app.token}` },
      })
      await once(client, 'open')
      const outcome = Promise.withResolvers<Outcome>()
      let stdout = ''
      client.on('message', (data: Buffer, isBinary: boolean) => {
        if (isBinary) stdout += data.subarray(1).toString()
        else {
          const { type, field } = JSON.parse(data.toString())
          if (type === 'error') outcome.resolve({ field: field === 'timeoutMs' ? 'timeout' : field })
          if (type === 'exit') outcome.resolve({ stdout })
        }
      })
      client.send(JSON.stringify({ type: 'start', command, timeoutMs: timeout, ...fields }))
      return outcome.promise.finally(() => client.terminate())
    },
  }

  for (const [name, run] of Object.entries(ways)) {
    test(`${name} takes numbers and booleans as variables, and leaves out null`, async () => {
      const env = { PORT: 8080, DEBUG: true, RATIO: 0.5, TEXT: 'x', NONE: null }
      const command = 'echo "$PORT $DEBUG $RATIO $TEXT ${NONE-none}"'
      assert.equal((await run(command, { env })).stdout, '8080 true 0.5 x none\n')
      for (const [bad, field] of [
        [{ A: [1] }, 'env.A'],
        [{ A: { B: 1 } }, 'env.A'],
        [{ A: 2 ** 53 }, 'env.A'],
        [['A'], 'env'],
      ] as const)
        assert.equal((await run('true', { env: bad })).field, field, JSON.stringify(bad))
    })

    test(`${name} has no time limit with 0, and rounds a fraction up`, async () => {
      for (const timeout of [0, 60_000.5, limits.processTimeoutMs])
        assert.equal((await run('echo ok', { timeout })).stdout, 'ok\n', String(timeout))
      for (const timeout of [-1, -0.5, limits.processTimeoutMs + 1, '5', true])
        assert.equal((await run('true', { timeout })).field, 'timeout', String(timeout))
    })

    test(`${name} takes any printable text of one line as the name of a sandbox`, async () => {
      for (const sessionId of [
        'user 42/größe',
        '../../etc',
        "a'; drop table \u{1F469}\u200D\u{1F4BB} --",
        '漢'.repeat(128),
      ])
        assert.equal((await run('echo ok', { sessionId })).stdout, 'ok\n', sessionId)
      for (const sessionId of ['a\nb', 'a\0', '\u0085', '\u2028', 'a\u202eb', '\ud800', '漢'.repeat(129), 5, ['a']])
        assert.equal((await run('true', { sessionId })).field, 'sessionId', JSON.stringify(sessionId))
    })
  }

  test('names of sandboxes are neither trimmed nor normalized', async () => {
    const names = ['e\u0301', '\u00e9', 'E\u0301', ' ', '  ', 'a', 'a ', ' a', 'A']
    for (const sessionId of names) await app.shell('touch mine', { sessionId })
    for (const sessionId of names) {
      const answer = await app.done('/execute', { code: 'ls', language: 'shell', sessionId })
      assert.deepEqual([answer.sessionId, answer.result.stdout], [sessionId, 'mine\n'])
      await app.shell('rm mine', { sessionId })
    }
  })

  test('the same fields have the same bounds on every route', async () => {
    const bodies = (await appRoutes()).map((route) => ({ route, fields: propertiesOf(route.schema.body) }))
    const limited = bodies.filter(({ fields }) => fields.timeout !== undefined)
    assert.deepEqual(limited.map(({ route }) => nameOf(route)).toSorted(), [
      'POST /execute',
      'POST /execute/stream',
      'POST /interpret',
      'POST /process/start',
    ])
    for (const { route, fields } of limited) {
      const { minimum, maximum, description } = fields.timeout!
      assert.deepEqual([minimum, maximum], [0, limits.processTimeoutMs], nameOf(route))
      assert.match(description ?? '', /0 means no limit, and a fraction is rounded up/)
    }
  })
})

interface Field {
  minimum?: number
  maximum?: number
  description?: string
}

function propertiesOf(body: unknown): Record<string, Field | undefined> {
  return (body as { properties?: Record<string, Field> } | undefined)?.properties ?? {}
}
