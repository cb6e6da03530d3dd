import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { request, type IncomingMessage } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { SocketClient } from '../paperpod/socket-client.ts'
import { newSession, type TestServer, until } from '../support/server.ts'
import { type Strain, WatchedServer } from '../support/watched-server.ts'

const MiB = 1024 * 1024

let watched: WatchedServer
let server: TestServer
before(async () => {
  watched = await WatchedServer.start({ CARREL_COMPUTER_MEMORY_MIB: '512' })
  ;({ server } = watched)
})
after(() => watched.stop())

/** Sends a request and returns the head of the response; its body is read later. */
function ask(path: string, body: object | Buffer): Promise<IncomingMessage> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
  return new Promise((resolve, reject) => {
    request(
      server.url + path,
      {
        method: 'POST',
        agent: false,
        headers: {
          authorization: `Bearer ${server.token}`,
          'content-type': 'application/json',
          'content-length': bytes.length,
        },
      },
      resolve,
    )
      .on('error', reject)
      .end(bytes)
  })
}

/** Reads a response without keeping it. */
async function readOut(response: IncomingMessage): Promise<{ status: number; bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { status: response.statusCode!, bytes, sha256: hash.digest('hex') }
}

/** What some work asks of the server. */
const noticed = async (work: () => Promise<unknown>): Promise<Strain> => (await watched.during(work))[1]

/** What held the loop took seconds. */
function assertUnnoticed({ longestTurnMs, grownMiB }: Strain, maxMiB: number): void {
  assert.ok(longestTurnMs < 250, `somebody else waited for ${longestTurnMs} ms of the processor`)
  assert.ok(grownMiB < maxMiB, `the server grew by ${grownMiB} MiB`)
}

describe('a directory of many files', () => {
  const sessionId = newSession()
  const files = 60_000
  before(async () => {
    const code = `
import os
os.makedirs('/workspace/many'); os.chdir('/workspace/many')
for i in range(${files}): os.close(os.open('%d-%s' % (i, 'x' * 150), os.O_CREAT))`
    await server.done('/execute', { code, language: 'python', sessionId, timeout: 120_000 })
  })

  test('is listed in pages, each name once and in order', async () => {
    const names: string[] = []
    for (let cursor: string | undefined; ;) {
      const page = await server.done('/files/list', { path: '/workspace/many', sessionId, cursor })
      names.push(...page.files.map(({ name }: { name: string }) => name))
      assert.ok(page.files.length <= 10_000)
      assert.equal(page.truncated, page.cursor === undefined ? undefined : true)
      if (page.cursor === undefined) break
      cursor = page.cursor
    }
    assert.deepEqual(names, Array.from({ length: files }, (_, i) => `${i}-${'x'.repeat(150)}`).toSorted())
  })

  test('is watched by sixteen at once, or refused as too large, without delaying other clients', async (t) => {
    await server.shell(
      `cd /workspace/many && mkdir more && python3 -c 'for i in range(50000): open(f"more/{i}", "w").close()'`,
      { sessionId, timeout: 120_000 },
    )
    const found = await noticed(() =>
      Promise.all(
        Array.from({ length: 16 }, async () => {
          const { status, body } = await server.post('/watch', { path: '/workspace/many', sessionId })
          assert.deepEqual([status, body.code], [429, 'LIMIT_REACHED'])
        }),
      ),
    )
    t.diagnostic(JSON.stringify(found))
    assertUnnoticed(found, 600)
  })

  test('is listed by ten at once without delaying other clients', async (t) => {
    const found = await noticed(() =>
      Promise.all(
        Array.from({ length: 10 }, async () => {
          const { status } = await readOut(await ask('/files/list', { path: '/workspace/many', sessionId }))
          assert.equal(status, 200)
        }),
      ),
    )
    t.diagnostic(JSON.stringify(found))
    assertUnnoticed(found, 400)
  })
})

describe('a file of 32 MiB of control characters', () => {
  const sessionId = newSession()
  const size = 32 * MiB
  const read = () => ask('/files/read', { path: '/workspace/controls', sessionId })
  const expected = createHash('sha256')
  before(async () => {
    await server.shell(`head -c ${size} /dev/zero | tr '\\0' '\\1' > /workspace/controls`, { sessionId })
    expected.update('{"success":true,"path":"/workspace/controls","content":"')
    const escaped = '\\u0001'.repeat(MiB)
    for (let left = size; left > 0; left -= MiB) expected.update(escaped)
    expected.update(`","encoding":"utf8","size":${size}}`)
  })

  test('is read by four at once, completely and without delaying other clients', async (t) => {
    const sha256 = expected.digest('hex')
    const found = await noticed(async () => {
      const answers = await Promise.all(Array.from({ length: 4 }, async () => readOut(await read())))
      for (const answer of answers) assert.deepEqual([answer.status, answer.sha256], [200, sha256])
    })
    t.diagnostic(JSON.stringify(found))
    assertUnnoticed(found, 400)
  })

  test('takes almost no memory while forty clients do not read it, and leaves none in use', async (t) => {
    const responses: IncomingMessage[] = []
    const found = await noticed(async () => {
      responses.push(...(await Promise.all(Array.from({ length: 40 }, read))))
    })
    t.diagnostic(JSON.stringify(found))
    assertUnnoticed(found, 400)
    for (const response of responses) response.destroy()
    const { status } = await readOut(await read())
    assert.equal(status, 200)
  })
})

test('output of twenty concurrent executes is complete, and does not delay other clients', async (t) => {
  const sessionId = newSession()
  const code = `(head -c 4194304 /dev/zero | tr '\\0' '\\1'); (head -c 4194304 /dev/zero | tr '\\0' '\\377') >&2`
  await server.shell('true', { sessionId })
  const found = await noticed(() =>
    Promise.all(
      Array.from({ length: 20 }, async () => {
        const { status, bytes } = await readOut(await ask('/execute', { code, language: 'shell', sessionId }))
        const text = 4 * MiB * 6 + 4 * MiB * 3
        assert.deepEqual([status, Math.floor(bytes / (text + (4 * MiB * 4) / 3))], [200, 1])
      }),
    ),
  )
  t.diagnostic(JSON.stringify(found))
  assertUnnoticed(found, 500)
})

test('output that waits for three hundred connections takes little memory', async (t) => {
  const sessionId = newSession()
  const processId = 'printer'
  await server.done('/process/start', { sessionId, processId, command: 'head -c 20000000 /dev/zero' })
  const { processes } = await until(
    () => server.done('/process/list', { sessionId }),
    (answer) => answer.processes[0].status !== 'running',
  )
  assert.equal(processes[0].status, 'completed')
  const clients: SocketClient[] = []
  const found = await noticed(async () => {
    for (let count = 0; count < 300; count++) clients.push(await SocketClient.open(server))
    for (const client of clients) {
      client.begin({ type: 'process', action: 'attach', sessionId, processId, encoding: 'base64' })
      client.socket.pause()
    }
    // Queued after all of these.
    const last = await SocketClient.open(server)
    const id = last.begin({ type: 'process', action: 'attach', sessionId, processId, encoding: 'base64' })
    const { data } = await last.next((message) => message.id === id && message.type === 'exit')
    assert.equal(data.truncated, false)
    await last.close()
  })
  t.diagnostic(JSON.stringify(found))
  for (const client of clients) client.socket.terminate()
  assertUnnoticed(found, 700)
})

describe('a large request', () => {
  const sessionId = newSession()

  test('of 48 MiB is sent by three at once without delaying other clients', async (t) => {
    const content = '\u0001'.repeat(7 * MiB)
    const bodies = [1, 2, 3].map((name) =>
      Buffer.from(JSON.stringify({ path: `/workspace/${name}`, sessionId, content })),
    )
    const found = await noticed(() =>
      Promise.all(
        bodies.map(async (body) => assert.equal((await readOut(await ask('/files/write', body))).status, 200)),
      ),
    )
    t.diagnostic(JSON.stringify(found))
    assertUnnoticed(found, 600)
    const { stdout } = await server.shell('cat [123] | wc -c; cat [123] | tr -d "\\1" | wc -c', { sessionId })
    assert.equal(stdout, `${21 * MiB}\n0\n`)
  })

  for (const [what, content] of [
    ['of millions of values', `[${'[],'.repeat(10 * MiB)}0]`],
    ['that nests without end', '['.repeat(40 * MiB)],
    ['of nothing', ' '.repeat(40 * MiB)],
    ['of one number', '1'.repeat(40 * MiB)],
    ['with a text that does not end', `"${'\\"'.repeat(20 * MiB)}`],
  ] as const)
    test(`${what} is refused without delaying other clients`, async (t) => {
      const sent = Buffer.from(`{"content":${content}`)
      const found = await noticed(async () => {
        const { status, body } = await server.post('/files/write', sent)
        assert.deepEqual([status, body.code], [400, 'INVALID_REQUEST'])
      })
      t.diagnostic(JSON.stringify(found))
      assertUnnoticed(found, 400)
    })

  test('is refused by a route that needs no large bodies', async () => {
    const { status, body } = await server.post('/files/read', { path: 'x'.repeat(2 * MiB) })
    assert.deepEqual([status, body.code, body.maxBytes], [413, 'TOO_LARGE', MiB / 4])
  })
})
