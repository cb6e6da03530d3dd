import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { readHello } from './read-hello.ts'

for (const [pieces, isClient] of [
  [['SSH-2.0-OpenSSH\r\n'], true],
  [['S', 'SH', '-2.0-x\r\n'], true],
  [['GET / HTTP/1.1\r\n'], false],
  [['S', 'EE'], false],
] as const)
  test(`a client that sends ${JSON.stringify(pieces)} is ${isClient ? 'one' : 'none'} of SSH`, async () => {
    const socket = new PassThrough()
    const decided = readHello(socket)
    for (const piece of pieces) socket.write(piece)
    assert.equal(await decided, isClient)
    if (isClient) assert.equal((socket.read() as Buffer).toString('latin1', 0, 4), 'SSH-')
  })

test('a client that leaves before it has said anything is none', async () => {
  const socket = new PassThrough()
  const decided = readHello(socket)
  socket.end()
  assert.equal(await decided, false)
})
