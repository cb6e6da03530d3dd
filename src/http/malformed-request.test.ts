import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { surfaces } from '../apis/surfaces.ts'
import { answerMalformedRequest } from './malformed-request.ts'

function answerTo(code: string, { writable = true, packet = '' } = {}): { text: string; destroyed: boolean } {
  const seen = { text: '', destroyed: false }
  const socket = Object.assign(new EventEmitter(), {
    writable,
    end: (text: string) => {
      seen.text = text
      socket.emit('close')
    },
    resume: () => {},
    destroy: () => (seen.destroyed = true),
  }) as unknown as Socket
  answerMalformedRequest(Object.assign(new Error('x'), { code, rawPacket: Buffer.from(packet) }), socket, surfaces)
  return seen
}

describe('answerMalformedRequest()', () => {
  for (const [code, line, name] of [
    ['ERR_HTTP_REQUEST_TIMEOUT', 'HTTP/1.1 408 Request Timeout', 'REQUEST_TIMEOUT'],
    ['HPE_HEADER_OVERFLOW', 'HTTP/1.1 413 Payload Too Large', 'TOO_LARGE'],
    ['HPE_INVALID_METHOD', 'HTTP/1.1 400 Bad Request', 'INVALID_REQUEST'],
    ['EPROTO', 'HTTP/1.1 400 Bad Request', 'INVALID_REQUEST'],
  ] as const)
    test(`answers ${code} with ${name} in the envelope of errors, and closes`, () => {
      const { text } = answerTo(code)
      const [head, body] = text.split('\r\n\r\n') as [string, string]
      assert.ok(head.startsWith(`${line}\r\n`), head)
      assert.match(head, /\r\nconnection: close/)
      assert.match(head, new RegExp(`content-length: ${Buffer.byteLength(body)}\r\n`))
      assert.equal(JSON.parse(body).code, name)
    })

  test('answers in the envelope of the surface whose address can be read', () => {
    const { text } = answerTo('HPE_HEADER_OVERFLOW', { packet: 'GET /api/v1/session HTTP/1.1\r\nx: ' })
    const { error, message } = JSON.parse(text.split('\r\n\r\n')[1]!)
    assert.deepEqual([error, message], ['TOO_LARGE', 'Cannot read the request: its headers are larger than 16 KiB'])
  })

  test('says nothing to a client that is gone', () => {
    assert.deepEqual(answerTo('ECONNRESET'), { text: '', destroyed: true })
    assert.deepEqual(answerTo('HPE_INVALID_METHOD', { writable: false }), { text: '', destroyed: true })
  })
})
