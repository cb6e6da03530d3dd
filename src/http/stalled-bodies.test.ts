import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import fastify from 'fastify'
import { setTimeout as delay } from 'node:timers/promises'
import { StalledBodies } from './stalled-bodies.ts'

const stallMs = 400

describe('StalledBodies', { timeout: 60_000 }, () => {
  const cut: string[] = []
  let onRequest: (request: IncomingMessage) => void
  const bodies = new StalledBodies(stallMs)
  const server = createServer((request, response) => {
    bodies.watch(request, () => {
      cut.push(request.url!)
      request.socket.destroy()
    })
    onRequest(request)
    request.on('end', () => response.end('whole'))
  })

  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onRequest = (request) => request.resume()
  })
  after(() => {
    bodies.close()
    server.close()
  })

  const send = (path: string, length: number) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\na`)
    socket.resume()
    return socket
  }

  test('cuts a body that stops arriving', async () => {
    const started = performance.now()
    const socket = send('/stops', 10)
    await once(socket, 'close')
    assert.deepEqual(cut.splice(0), ['/stops'])
    assert.ok(performance.now() - started >= stallMs)
  })

  test('cuts a body that stops arriving at its iterator, after a time of its own if it has one', async () => {
    onRequest = (request) => {
      if (request.url === '/patient') bodies.watch(request, () => cut.push('/patient, late'), stallMs * 4)
      void (async () => {
        for await (const _ of request);
      })().catch(() => {})
    }
    const patient = send('/patient', 10)
    const socket = send('/iterated', 10)
    await once(socket, 'close')
    assert.deepEqual(cut.splice(0), ['/iterated'])
    patient.destroy()
    onRequest = (request) => request.resume()
  })

  test('keeps a slow body that still makes progress, however long it takes', async () => {
    const socket = send('/slow', 11)
    for (let sent = 0; sent < 10; sent++) {
      await delay(stallMs / 4)
      socket.write('b')
    }
    const [answer] = (await once(socket, 'data')) as [Buffer]
    assert.match(answer.toString(), /whole/)
    assert.deepEqual(cut, [])
    socket.destroy()
  })

  test('does not count the time in which the server does not read', async () => {
    const { promise, resolve } = Promise.withResolvers<IncomingMessage>()
    onRequest = resolve
    const socket = send('/unread', 2)
    const request = await promise
    await delay(stallMs * 3)
    socket.write('b')
    request.resume()
    const [answer] = (await once(socket, 'data')) as [Buffer]
    assert.match(answer.toString(), /whole/)
    assert.deepEqual(cut, [])
    socket.destroy()
  })

  test('does not watch inner requests', async () => {
    const app = fastify()
    const watched: boolean[] = []
    app.addHook('onRequest', async (request) => bodies.watch(request.raw, () => watched.push(true)))
    app.post('/', async () => 'answered')
    assert.equal((await app.inject({ method: 'POST', url: '/', payload: { a: 1 } })).payload, 'answered')
    await delay(stallMs * 2)
    assert.deepEqual(watched, [])
    await app.close()
  })
})
