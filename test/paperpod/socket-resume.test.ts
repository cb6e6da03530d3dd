import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { newSession, TestServer } from '../support/server.ts'
import { SocketClient, type Message } from './socket-client.ts'

/**
 * Prints numbered lines at about 3 MB/s to both streams, with characters of 1 to 4 bytes, so that pieces end inside
 * them.
 */
const printer = `
import os, sys, time
count = int(sys.argv[1])
for number in range(count):
    os.write(1, f'{number} aé€😀 {"ü" * 20}\\n'.encode() * 1)
    if number % 50 == 0: os.write(2, f'{number}\\n'.encode())
    if number % 500 == 0: time.sleep(0.01)
`
const lines = 60_000

describe('a WebSocket whose connection is cut repeatedly', { timeout: 300_000 }, () => {
  let server: TestServer
  const sessionId = newSession()
  before(async () => {
    server = await TestServer.start()
    await server.post('/files/write', { path: '/tmp/printer.py', content: printer, sessionId })
  })
  after(() => server.stop())

  for (const encoding of ['utf8', 'base64'] as const)
    test(`loses no byte and repeats none (${encoding})`, async () => {
      const got = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
      let cursor: number | string = 0
      let processId = ''
      let exit: Message['data']
      let cuts = 0
      while (exit === undefined) {
        const client = await SocketClient.open(server)
        const { socket } = client
        // After 1 byte to 300 KB of output, often in the middle of a frame.
        const until = 1 + Math.floor(Math.random() ** 2 * 300_000)
        let bytes = 0
        const over = Promise.withResolvers<void>()
        socket.on('message', (data: Buffer) => {
          if (socket.readyState !== socket.OPEN) return
          const { type, data: fields } = JSON.parse(data.toString()) as Message
          if (type === 'start') ({ processId } = fields)
          if (type === 'error') over.reject(new Error(JSON.stringify(fields)))
          if (type === 'stdout' || type === 'stderr') {
            assert.equal(fields.truncated, undefined)
            got[type].push(encoding === 'utf8' ? Buffer.from(fields.text) : Buffer.from(fields.base64, 'base64'))
            ;({ cursor } = fields)
            bytes += data.length
            if (bytes > until) {
              cuts++
              socket.terminate()
            }
          }
          if (type === 'exit' || type === 'exec_result') {
            exit = fields
            socket.close()
          }
        })
        socket.on('close', () => over.resolve())
        client.send(
          processId === ''
            ? {
                type: 'exec',
                sessionId,
                stream: true,
                encoding,
                timeout: 0,
                argv: ['python3', '/tmp/printer.py', String(lines)],
              }
            : { type: 'process', action: 'attach', sessionId, processId, cursor, encoding },
        )
        await over.promise
      }
      const expected = Array.from({ length: lines }, (_, number) => `${number} aé€😀 ${'ü'.repeat(20)}\n`).join('')
      const stderr = Array.from({ length: lines / 50 }, (_, number) => `${number * 50}\n`).join('')
      const hash = (text: string | Buffer) => createHash('sha256').update(text).digest('hex')
      assert.equal(Buffer.concat(got.stderr).toString(), stderr)
      assert.equal(Buffer.concat(got.stdout).length, Buffer.byteLength(expected))
      assert.equal(hash(Buffer.concat(got.stdout)), hash(expected))
      assert.ok(cuts >= 10, `${cuts} cuts`)
      assert.deepEqual([exit.reason ?? exit.result.reason, exit.truncated ?? exit.result.truncated], ['exited', false])
    })

  test('a process without a reader waits, and its output continues where it was after a pause', async () => {
    const first = await SocketClient.open(server)
    const id = first.begin({
      type: 'exec',
      sessionId,
      stream: true,
      timeout: 0,
      command: "head -c 150000000 /dev/zero | tr '\\0' x",
    })
    await first.next(({ type }) => type === 'stdout')
    const { processId } = (await first.next(({ type }) => type === 'start')).data
    first.socket.terminate()
    const texts = first.received.filter((message) => message.id === id && message.type === 'stdout')
    let bytes = texts.reduce((sum, { data }) => sum + data.text.length, 0)
    // By now it would have printed far more than is kept.
    await new Promise((resolve) => setTimeout(resolve, 2000))
    const second = await SocketClient.open(server)
    second.begin({ type: 'process', action: 'attach', sessionId, processId, cursor: texts.at(-1)!.data.cursor })
    const { data: exit } = await second.next(({ type }) => type === 'exit', 60_000)
    for (const { type, data } of second.received) if (type === 'stdout') bytes += data.text.length
    assert.deepEqual([bytes, exit.truncated, exit.exitCode], [150_000_000, false, 0])
    await second.close()
  })
})
