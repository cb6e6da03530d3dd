import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { after, test, type TestContext } from 'node:test'
import { DescriptorBudget } from '../../engine/budgets/descriptor-budget.ts'
import type { AccessiblePort } from '../../engine/computers/ports/find-exposed.ts'
import { forwardRequest } from './forward-request.ts'
import { Upstreams } from './upstreams.ts'

const ok = (body: string, more = '') => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n${more}\r\n${body}`

async function listen(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  after(() => server.close())
  return (server.address() as AddressInfo).port
}

/**
 * Starts a proxy before a raw TCP server: `answer` receives each request's head, its number and its connection's
 * number.
 */
async function proxyOf(
  t: TestContext,
  answer: (socket: Socket, nth: number, connection: number, head: string) => void,
  budget = new DescriptorBudget(1000),
) {
  const sockets: Socket[] = []
  const origin = createServer((socket) => {
    const connection = sockets.push(socket)
    let requests = 0
    socket.on('error', () => {})
    socket.on('data', (data) => {
      const head = data.toString('latin1')
      if (/^(GET|POST) /.test(head)) answer(socket, (requests += 1), connection, head)
    })
  })
  const port = await listen(origin)
  const upstreams = new Upstreams(async ({ port: target }, { onRead }) => {
    const buffer = Buffer.allocUnsafeSlow(65_536)
    const onread = {
      buffer,
      callback: (length: number) => {
        onRead(buffer.subarray(0, length))
        return true
      },
    }
    const socket = connect({ host: '127.0.0.1', port: target, allowHalfOpen: true, onread })
    await once(socket, 'connect')
    return socket
  }, budget)
  const proxy = createHttpServer((request, response) => {
    forwardRequest({
      upstreams,
      target: { computerId: 'c', port, accountId: 'a' } as AccessiblePort,
      request,
      response,
      ownTokens: { isIn: (text) => text.includes('carrels_own') },
      holders: budget.sharesOf({ account: 'a', computer: 'c' }),
    }).catch((error: Error) => {
      if (response.headersSent) request.socket.destroy()
      else response.writeHead(502).end(error.message)
    })
  })
  const proxyPort = await listen(proxy)
  t.after(() => {
    proxy.closeAllConnections()
    for (const socket of sockets) socket.destroy()
  })
  const open = async (method = 'GET', body = ''): Promise<IncomingMessage> => {
    const request = httpRequest({ host: '127.0.0.1', port: proxyPort, method, agent: false })
    request.end(body)
    const [answered] = (await once(request, 'response')) as [IncomingMessage]
    // The rest of the request body is no longer needed.
    request.on('error', () => {})
    return answered
  }
  const fetchText = async (method?: string, body?: string) => {
    const answered = await open(method, body)
    return `${answered.statusCode} ${await text(answered)}`
  }
  return { sockets, open, fetchText, port: proxyPort }
}

test('a connection is kept for the next request', async (t) => {
  const { sockets, fetchText } = await proxyOf(t, (socket, nth, connection) => socket.write(ok(`${connection}.${nth}`)))
  assert.deepEqual(
    [await fetchText(), await fetchText('POST', 'x'), await fetchText()],
    ['200 1.1', '200 1.2', '200 1.3'],
  )
  assert.equal(sockets.length, 1)
})

test('a connection that the server announces to close, or closes within a second, is not kept', async (t) => {
  for (const more of ['connection: close\r\n', 'connection: keep-alive\r\nkeep-alive: timeout=1\r\n']) {
    const { fetchText } = await proxyOf(t, (socket, nth, connection) => socket.write(ok(`${connection}.${nth}`, more)))
    assert.deepEqual([await fetchText(), await fetchText()], ['200 1.1', '200 2.1'])
  }
})

test('a connection on which more arrives than was requested is not reused', async (t) => {
  const { fetchText } = await proxyOf(t, (socket, nth, connection) =>
    socket.write(ok(`${connection}.${nth}`) + ok('for somebody else')),
  )
  assert.deepEqual([await fetchText(), await fetchText()], ['200 1.1', '200 2.1'])
})

test('a repeatable request succeeds although the kept connection closes just as it is sent', async (t) => {
  const { fetchText } = await proxyOf(t, (socket, nth, connection) => {
    if (connection === 1 && nth > 1) socket.destroy()
    else socket.write(ok(`${connection}.${nth}`))
  })
  assert.deepEqual([await fetchText(), await fetchText()], ['200 1.1', '200 2.1'])
})

test('a request that must not be repeated is sent once', async (t) => {
  let requests = 0
  const { fetchText } = await proxyOf(t, (socket, nth) => {
    requests += 1
    if (nth > 1) socket.destroy()
    else socket.write(ok('first'))
  })
  assert.equal(await fetchText(), '200 first')
  assert.match(await fetchText('POST', 'x'), /^502 /)
  assert.equal(requests, 2)
})

test('a head is relayed before its body arrives', async (t) => {
  let finish = () => {}
  const { open } = await proxyOf(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n')
    finish = () => socket.write('late')
  })
  const answered = await open()
  assert.equal(answered.statusCode, 200)
  finish()
  assert.equal(await text(answered), 'late')
})

test('a client that reads late receives the whole response, and the connection serves the next one', async (t) => {
  const size = 16 * 1024 * 1024
  const { sockets, open, fetchText } = await proxyOf(t, (socket, nth) => {
    socket.write(nth === 1 ? ok('x'.repeat(size)) : ok('next'))
  })
  const slow = await open()
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.equal((await text(slow)).length, size)
  assert.equal(await fetchText(), '200 next')
  assert.equal(sockets.length, 1)
})

test('a response that arrives before the request is complete is relayed, and the connection is not reused', async (t) => {
  const { sockets, fetchText } = await proxyOf(t, (socket, nth, connection) => socket.write(ok(`${connection}.${nth}`)))
  assert.equal(await fetchText('POST', 'x'.repeat(8 * 1024 * 1024)), '200 1.1')
  assert.equal(await fetchText(), '200 2.1')
  assert.equal(sockets.length, 2)
})

test('a kept connection is counted until it is reused or closed, and is not kept where there is no room', async (t) => {
  const budget = new DescriptorBudget(1000)
  const answer = (socket: Socket, nth: number, connection: number) => socket.write(ok(`${connection}.${nth}`))
  const { sockets, fetchText } = await proxyOf(t, answer, budget)
  assert.deepEqual([await fetchText(), budget.held, await fetchText(), budget.held], ['200 1.1', 1, '200 1.2', 1])
  sockets[0]!.destroy()
  for (let left = 1000; budget.held > 0 && left > 0; left--) await turn()
  assert.equal(budget.held, 0)
  const { release } = budget.tryTake(budget.sharesOf({ account: 'b' }), budget.total)!
  assert.deepEqual([await fetchText(), await fetchText()], ['200 2.1', '200 3.1'])
  release()
})

test('a connection that has not been accepted yet is given up when the client disconnects', async () => {
  const given = Promise.withResolvers<void>()
  const upstreams = new Upstreams(({ port }, { signal }) => {
    signal.addEventListener('abort', () => given.resolve())
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error(`${port}`))))
  }, new DescriptorBudget(1000))
  const proxy = createHttpServer((request, response) => {
    const target = { computerId: 'c', port: 1, accountId: 'a' } as AccessiblePort
    const options = { ownTokens: { isIn: () => false }, holders: { shares: [] } }
    forwardRequest({ upstreams, target, request, response, ...options }).catch(() => {})
    setImmediate(() => client.destroy())
  })
  const client = connect({ host: '127.0.0.1', port: await listen(proxy) })
  client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  await given.promise
})

test('Content-Length named by Connection still delimits the body, so that no part of it becomes another request', async (t) => {
  let got = ''
  const { port } = await proxyOf(t, (socket, nth, _, sent) => {
    got += sent
    socket.write(ok(String(nth)))
  })
  const inner = 'GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n'
  const head = `POST / HTTP/1.1\r\nhost: a\r\nconnection: close, content-length\r\ncontent-length: ${inner.length}\r\n\r\n`
  const client = connect({ host: '127.0.0.1', port })
  client.write(head + inner)
  for await (const _ of client);
  assert.match(got, /\r\ncontent-length: 35\r\n/)
})

test('tokens of the server itself reach neither the target nor the trailers', async (t) => {
  let got = ''
  const { port } = await proxyOf(t, (socket, nth, _, sent) => {
    got += sent
    if (got.endsWith('\r\n\r\n')) socket.write(ok(String(nth), 'connection: close\r\n'))
  })
  const client = connect({ host: '127.0.0.1', port })
  client.write(
    'POST /a?x=1&token=carrels_own&y=2 HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n1\r\nb\r\n0\r\nx-a: carrels_own\r\nx-b: 1\r\n\r\n',
  )
  for await (const _ of client);
  assert.match(got, /^POST \/a\?x=1&y=2 HTTP/)
  assert.match(got, /\r\n0\r\nx-b: 1\r\n\r\n$/)
})
