import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ResponseParser, type ResponseHead } from './response-parser.ts'

interface Read {
  heads: ResponseHead[]
  body: string
  trailers: string[]
  isDone: boolean
  keepsAlive: boolean
}

/** Returns what the parser reads from consecutive pieces, and from the end of the connection with `ends`. */
function read(pieces: Buffer[], { method = 'GET', ends = false } = {}): Read {
  const heads: ResponseHead[] = []
  let body = ''
  const parser = new ResponseParser(method, {
    onInformation: (head) => heads.push(head),
    onHead: (head) => heads.push(head),
    onBody: (part) => {
      assert.notEqual(part.length, 0)
      body += part.toString('latin1')
    },
  })
  for (const piece of pieces) {
    // The memory is reused as soon as it has been read.
    const memory = Buffer.from(piece)
    parser.push(memory)
    memory.fill(0)
  }
  if (ends) parser.end()
  const { isDone, keepsAlive, trailers } = parser
  return { heads, body, trailers, isDone, keepsAlive }
}

const bytes = (text: string) => Buffer.from(text, 'latin1')
const byteForByte = (text: string) => Array.from(bytes(text), (byte) => Buffer.of(byte))
const whole = (text: string, options?: { method?: string; ends?: boolean }) => read([bytes(text)], options)

const valid: Record<string, [text: string, body: string, keepsAlive: boolean, method?: string]> = {
  'a length': ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: é \r\n\r\nhello', 'hello', true],
  'no body': ['HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', '', true],
  'a status without a reason': ['HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n', '', true],
  'a status without a body': ['HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n', '', true],
  'a response to HEAD': ['HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n', '', true, 'HEAD'],
  'a connection that closes': ['HTTP/1.1 200 OK\r\nconnection: Close\r\ncontent-length: 2\r\n\r\nok', 'ok', false],
  'an old version': ['HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok', 'ok', false],
  'an old version that keeps the connection': [
    'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok',
    'ok',
    true,
  ],
  chunks: [
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n',
    'hello world',
    true,
  ],
  'chunks with trailers': [
    'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, Chunked\r\n\r\nA\r\n0123456789\r\n000\r\nX-T: 1\r\ny: 2\r\n\r\n',
    '0123456789',
    true,
  ],
  'early hints': [
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok',
    'ok',
    true,
  ],
}

describe('ResponseParser', () => {
  for (const [what, [text, body, keepsAlive, method]] of Object.entries(valid))
    test(`reads ${what}, wherever the pieces are cut`, () => {
      const expected = whole(text, { method })
      assert.deepEqual([expected.body, expected.isDone, expected.keepsAlive], [body, true, keepsAlive])
      for (let cut = 1; cut < text.length; cut++)
        assert.deepEqual(read([bytes(text.slice(0, cut)), bytes(text.slice(cut))], { method }), expected, `at ${cut}`)
      assert.deepEqual(read(byteForByte(text), { method }), expected, 'byte for byte')
    })

  test('returns names in lower case, values unchanged, and trailers', () => {
    assert.deepEqual(whole(valid['a length']![0]).heads, [
      { status: 200, reason: 'OK', headers: ['content-length', '5', 'x-a', 'é'] },
    ])
    assert.deepEqual(whole(valid['chunks with trailers']![0]).trailers, ['x-t', '1', 'y', '2'])
    assert.deepEqual(
      whole(valid['early hints']![0]).heads.map(({ status }) => status),
      [100, 103, 200],
    )
  })

  test('takes the end of the connection as the end of a body without a length', () => {
    const text = 'HTTP/1.1 200 OK\r\n\r\nsome'
    assert.deepEqual([whole(text).isDone, whole(text).body], [false, 'some'])
    const { isDone, keepsAlive } = whole(text, { ends: true })
    assert.deepEqual([isDone, keepsAlive], [true, false])
  })

  test('does not reuse a connection on which more arrives than was requested', () => {
    for (const more of ['x', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno']) {
      const { body, isDone, keepsAlive } = whole(`HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok${more}`)
      assert.deepEqual([body, isDone, keepsAlive], ['ok', true, false])
    }
  })

  for (const [what, text] of Object.entries({
    'that is cut off in its head': 'HTTP/1.1 200 OK\r\n',
    'that is cut off in its body': 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok',
    'that is cut off in its chunks': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n',
    'that is cut off in its trailers': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\na: b\r\n',
    'of another protocol': 'SSH-2.0-x\r\n\r\n',
    'of another version': 'HTTP/2 200 OK\r\n\r\n',
    'with a status of four digits': 'HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n',
    'with a status under 100': 'HTTP/1.1 099 OK\r\ncontent-length: 0\r\n\r\n',
    'that switches protocols': 'HTTP/1.1 101 Switching\r\n\r\n',
    'with a folded header': 'HTTP/1.1 200 OK\r\na: b\r\n c\r\ncontent-length: 0\r\n\r\n',
    'with a space in a name': 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n',
    'with a bare line feed in a value': 'HTTP/1.1 200 OK\r\na: b\nset-cookie: c\r\n\r\n',
    'with a bare carriage return in a value': 'HTTP/1.1 200 OK\r\na: b\rset-cookie: c\r\n\r\n',
    'with a control character': 'HTTP/1.1 200 OK\r\na: b\x00c\r\n\r\n',
    'with two lengths': 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok',
    'with a list of lengths': 'HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nok',
    'with a signed length': 'HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\nok',
    'with a length beyond safe integers': 'HTTP/1.1 200 OK\r\ncontent-length: 9999999999999999\r\n\r\nok',
    'with a length and chunks': 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    'with a chunk without a size': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\n',
    'with a signed chunk size': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n',
    'with a hexadecimal prefix in a chunk size': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0x2\r\nok\r\n',
    'with a chunk longer than announced': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n',
    'with an endless head': `HTTP/1.1 200 OK\r\n${`a: ${'b'.repeat(1000)}\r\n`.repeat(70)}`,
    'with too long a head': `HTTP/1.1 200 OK\r\n${`a: ${'b'.repeat(1000)}\r\n`.repeat(70)}\r\n`,
    'with an endless chunk size': `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${'0'.repeat(2000)}`,
  }))
    test(`throws on a response ${what}`, () => {
      assert.throws(() => whole(text, { ends: true }), /^Error: .*(the response|the server switched)/)
      assert.throws(() => read(byteForByte(text), { ends: true }), /^Error: .*(the response|the server switched)/)
    })
})
