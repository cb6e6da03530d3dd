import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { newSession, TestServer, until } from '../support/server.ts'

const program = readFileSync(new URL('./fixtures/broken-server.js', import.meta.url), 'utf8')
const ok = 'content-length: 2\r\n\r\nok'

/** The responses of a hostile server in a computer, and the statuses that are acceptable for each. */
const answers: Record<string, [answer: string, statuses: number[]]> = {
  'a status of 000': [`HTTP/1.1 000 Odd\r\n${ok}`, [502]],
  'a status of 099': [`HTTP/1.1 099 Odd\r\n${ok}`, [502]],
  'a status of 1000': [`HTTP/1.1 1000 Odd\r\n${ok}`, [502]],
  'a status of 999': [`HTTP/1.1 999 Odd\r\n${ok}`, [999]],
  'a control character in the reason': [`HTTP/1.1 200 O\x01K\r\n${ok}`, [200, 502]],
  'a reason of 10 kB': [`HTTP/1.1 200 ${'x'.repeat(10_000)}\r\n${ok}`, [200, 502]],
  'a control character in a header': [`HTTP/1.1 200 OK\r\nx-a: b\x01c\r\n${ok}`, [200, 502]],
  'a header without a name': [`HTTP/1.1 200 OK\r\n: x\r\n${ok}`, [502]],
  'a header that is folded': [`HTTP/1.1 200 OK\r\nx-a: b\r\n c\r\n${ok}`, [200, 502]],
  'latin-1 in a header': [`HTTP/1.1 200 OK\r\nx-a: \xe9\r\n${ok}`, [200]],
  'a trailer that is announced and never comes': [`HTTP/1.1 200 OK\r\ntrailer: x-t\r\n${ok}`, [200]],
  'trailers announced where there can be none': [
    'HTTP/1.1 204 No\r\ntrailer: x-t\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    [204],
  ],
  'a broken trailer': [
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx\x01: 1\r\n\r\n',
    [200, 502],
  ],
  'early hints that are none': [`HTTP/1.1 103 Early\r\nlink: garbage\r\n\r\nHTTP/1.1 200 OK\r\n${ok}`, [200]],
  'a hundred early hints': [
    `${'HTTP/1.1 103 Early\r\nlink: </a>; rel=preload\r\n\r\n'.repeat(100)}HTTP/1.1 200 OK\r\n${ok}`,
    [200],
  ],
  'a status of 102 first': [`HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n${ok}`, [200]],
  'a switch of protocols that nobody asked for': [
    'HTTP/1.1 101 Sw\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nraw',
    [502],
  ],
  'two lengths': [`HTTP/1.1 200 OK\r\ncontent-length: 3\r\n${ok}`, [502]],
  'a length and chunks': [
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    [200, 502],
  ],
  'a negative length': ['HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nok', [502]],
  'a chunk of no number': ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n', [502]],
  'headers of 100 kB': [`HTTP/1.1 200 OK\r\n${`x: ${'y'.repeat(100)}\r\n`.repeat(1000)}${ok}`, [502]],
  '5000 headers': [`HTTP/1.1 200 OK\r\n${'x:\r\n'.repeat(2500)}${ok}`, [200, 502]],
  'a second response after the first': [`HTTP/1.1 200 OK\r\n${ok}HTTP/1.1 200 OK\r\n${ok}`, [200]],
  'a body where there may be none': ['HTTP/1.1 204 No\r\ncontent-length: 2\r\n\r\nok', [204]],
  'HTTP/0.9': ['just text', [502]],
  'HTTP/2': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [502]],
  TLS: ['\x16\x03\x01\x00\x05hello', [502]],
  nothing: ['', [502]],
  'a cookie with everything': [`HTTP/1.1 200 OK\r\nset-cookie: ;;;domain=;Domain=x=y;=\r\n${ok}`, [200]],
  'an upper-case length and no end of line': ['HTTP/1.0 200 OK\nCONTENT-LENGTH: 2\n\nok', [200, 502]],
}

describe('a preview of a hostile server', () => {
  let server: TestServer
  let host: string
  let url: string
  const sessionId = newSession()
  const random = Array.from({ length: 200 }, (_, index) => {
    const valid = Buffer.from(
      `HTTP/1.1 200 OK\r\nx-a: b\r\ntransfer-encoding: chunked\r\ntrailer: t\r\n\r\n2\r\nok\r\n0\r\nt: 1\r\n\r\n`,
    )
    for (const [at] of Array.from({ length: 1 + (index % 4) }, () => randomBytes(1)))
      valid[at! % valid.length] = randomBytes(1)[0]!
    return valid
  })

  before(async () => {
    server = await TestServer.start()
    const bytes = Object.fromEntries([
      ...Object.values(answers).map(([answer], index) => [
        `a${index}`,
        Buffer.from(answer, 'latin1').toString('base64'),
      ]),
      ...random.map((answer, index) => [`r${index}`, answer.toString('base64')]),
    ])
    await server.post('/files/write', { path: 'answers.json', content: JSON.stringify(bytes), sessionId })
    await server.post('/files/write', { path: 'server.js', content: program, sessionId })
    await server.post('/process/start', { command: 'node server.js', processId: 'broken', sessionId })
    await until(
      () => server.post('/process/get', { processId: 'broken', sessionId }),
      ({ body }) => body.logs.stdout === 'listening\n',
    )
    url = (await server.post('/expose', { port: 8080, sessionId })).body.url
    ;({ host } = new URL(url))
  })
  after(() => server.stop())

  /** Sends raw bytes, and returns everything that arrives until the connection ends. */
  const raw = async (bytes: string): Promise<string> => {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    socket.setTimeout(5000, () => socket.destroy(new Error('no response within 5 s')))
    socket.write(Buffer.from(bytes, 'latin1'))
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks).toString('latin1')
  }
  const alive = async () => {
    assert.equal(server.process.exitCode, null, `the server ended:\n${server.log()}`)
    assert.equal((await server.call('GET', '/health')).status, 200)
  }

  for (const [index, [why, [, statuses]]] of Object.entries(answers).entries())
    test(`${why} is answered with ${statuses.join(' or ') || 'a broken connection'}, and the server continues`, async () => {
      const answer = await raw(`GET /a${index} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`)
      const got = [...answer.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status))
      const final = got.find((status) => status !== 103)
      assert.ok(
        statuses.length === 0 ? final === undefined : statuses.includes(final!),
        JSON.stringify(answer.slice(0, 300)),
      )
      await alive()
    })

  for (const [index, [why]] of Object.entries(answers).entries())
    test(`${why} in response to a WebSocket handshake ends it, and the server continues`, async () => {
      await raw(
        `GET /a${index} HTTP/1.1\r\nhost: ${host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      ).catch((error: NodeJS.ErrnoException) => assert.equal(error.code, 'ECONNRESET'))
      await alive()
    })

  test('200 responses with randomly changed bytes do not crash the server', async () => {
    for (const index of random.keys())
      await raw(`GET /r${index} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`).catch(
        (error: NodeJS.ErrnoException) => assert.equal(error.code, 'ECONNRESET'),
      )
    await alive()
  })

  for (const [why, head] of [
    ['that announces trailers and has a length', 'POST /x HTTP/1.1\r\ntrailer: x\r\ncontent-length: 2\r\n\r\nok'],
    ['that announces trailers and has no body', 'GET /x HTTP/1.1\r\ntrailer: x\r\n\r\n'],
    ['with chunks and an odd trailer', 'POST /x HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx\x01: \r\n\r\n'],
    ['that expects what there is not', 'POST /x HTTP/1.1\r\nexpect: the-moon\r\ncontent-length: 2\r\n\r\nok'],
    ['with a space in its path', 'GET /a b HTTP/1.1\r\n\r\n'],
    ['with bytes over 127 in its path', 'GET /\xff\xfe HTTP/1.1\r\n\r\n'],
    ['for a whole address', 'GET http://10.0.0.1/ HTTP/1.1\r\n\r\n'],
    ['for a star', 'OPTIONS * HTTP/1.1\r\n\r\n'],
    ['with an upgrade to nothing', 'GET /x HTTP/1.1\r\nconnection: upgrade\r\nupgrade: \r\n\r\n'],
    ['with an upgrade to anything', 'GET /x HTTP/1.1\r\nconnection: upgrade\r\nupgrade: x/1, y\r\n\r\n'],
    [
      'with a body and an upgrade',
      'POST /x HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 2\r\n\r\nok',
    ],
    ['with every header of a connection', 'GET /x HTTP/1.1\r\nconnection: host, x-forwarded-for, close\r\n\r\n'],
    ['of HTTP/1.0', 'GET /x HTTP/1.0\r\n\r\n'],
  ] as const)
    test(`a visitor's request ${why} does not crash the server`, async () => {
      const [line, ...rest] = head.split('\r\n')
      await raw(
        [line, `host: ${host}`, ...(/connection:/.test(head) ? [] : ['connection: close']), ...rest].join('\r\n'),
      ).catch((error: NodeJS.ErrnoException) =>
        assert.match(String(error.code ?? error.message), /ECONNRESET|EPIPE|5 s/),
      )
      await alive()
    })
})
