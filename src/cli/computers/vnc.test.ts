import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { WebSocketServer, type WebSocket } from 'ws'
import { fakeComputer } from '../../../sdk/testing/fake-computers.ts'
import { FakeServer } from '../../../sdk/testing/fake-server.ts'
import { CliHome, resultOf } from '../testing/run-cli.ts'

const banner = 'RFB 003.008\n'

/** A server with a computer, whose desktop greets and then sends back what it receives, and a user of it. */
async function start() {
  const server = await FakeServer.start()
  const home = new CliHome()
  server.computers.push(fakeComputer('build'))
  const refused = new Set<string>()
  const requests: { path: string; token: string; protocol: string }[] = []
  const desktop = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    verifyClient: ({ req }: { req: IncomingMessage }, accept) => {
      const token = req.headers.authorization?.replace('Bearer ', '') ?? ''
      requests.push({ path: req.url!, token, protocol: String(req.headers['sec-websocket-protocol']) })
      const isRefused = refused.has(token)
      accept(!isRefused, 401, '{"error":{"code":"unauthenticated","message":"The session is over"}}')
    },
  })
  const sockets: WebSocket[] = []
  desktop.on('connection', (socket) => {
    sockets.push(socket)
    socket.send(Buffer.from(banner))
    socket.on('message', (data: Buffer) => socket.send(data))
  })
  await once(desktop, 'listening')
  const { port } = desktop.address() as AddressInfo
  // Systems do not resolve every name below localhost.
  server.computerOrigin = `http://build.computers.localhost:${port}`
  const env = { PATH: `${home.path}:${process.env['PATH']}` }
  return {
    server,
    home,
    env,
    refused,
    requests,
    sockets,
    /** Starts `vnc`, and returns its process, its result, and its port. */
    async vnc(...args: string[]) {
      const child = home.spawn(['computers', 'vnc', 'build', ...args], { server, env })
      const result = resultOf(child)
      const [line] = (await once(child.stdout, 'data')) as [Buffer]
      return { child, result, line: String(line), port: Number(/:(\d+)\n$/.exec(String(line))?.[1]) }
    },
    revoked: () =>
      server.requests.filter(({ method }) => method === 'DELETE').map(({ path }) => path.split('/').at(-1)),
    async [Symbol.asyncDispose]() {
      for (const socket of desktop.clients) socket.terminate()
      desktop.close()
      await server[Symbol.asyncDispose]()
      home[Symbol.dispose]()
    },
  }
}

/** Reads this many bytes. */
async function read(socket: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  for (let left = length; left > 0;) {
    const chunk = socket.read() as Buffer | null
    if (chunk === null) await once(socket, 'readable')
    else left -= chunks[chunks.push(chunk) - 1]!.length
  }
  return Buffer.concat(chunks)
}

test('vnc relays each connection to the desktop, until a signal ends it and revokes the session', async () => {
  await using user = await start()
  const { child, result, line, port } = await user.vnc()
  assert.equal(line, `vnc://127.0.0.1:${port}\n`)
  const viewers = await Promise.all(
    ['one', 'two'].map(async () => {
      const viewer = connect(port, '127.0.0.1')
      assert.equal(String(await read(viewer, banner.length)), banner)
      const sent = randomBytes(1024 * 1024)
      viewer.write(sent)
      assert.ok(sent.equals(await read(viewer, sent.length)), 'every byte comes back')
      return viewer
    }),
  )
  const request = { path: '/api/desktop/socket', token: 'pp_access_1', protocol: 'binary' }
  assert.deepEqual(user.requests, [request, request])
  const left = Promise.race(user.sockets.map((socket) => once(socket, 'close')))
  viewers[0]!.destroy()
  await left
  const ended = once(viewers[1]!.resume(), 'close')
  child.kill('SIGINT')
  await ended
  const { exitCode, stderr } = await result
  assert.deepEqual([exitCode, stderr], [0, ''])
  assert.deepEqual(user.revoked(), ['session-1'])
})

test('a refused connection gets a new session next time, and the reason of an end is shown', async () => {
  await using user = await start()
  const { child, result, port } = await user.vnc()
  user.refused.add('pp_access_1')
  await once(connect(port, '127.0.0.1').resume(), 'close')
  const viewer = connect(port, '127.0.0.1')
  assert.equal(String(await read(viewer, banner.length)), banner)
  let more = ''
  const ended = once(
    viewer.on('data', (data) => (more += String(data))),
    'close',
  )
  // An explanation in text is not for the viewer.
  user.sockets[0]!.send('{"type":"error","code":"conflict","message":"The computer has stopped"}')
  user.sockets[0]!.close(4409, 'the computer has stopped')
  await ended
  assert.equal(more, '')
  child.kill('SIGTERM')
  const { exitCode, stderr } = await result
  assert.equal(exitCode, 0)
  assert.match(stderr, /^carrel: .*\ncarrel: The connection has ended: the computer has stopped\n$/)
  assert.deepEqual(new Set(user.revoked()), new Set(['session-1', 'session-2']))
})

test('a session that is about to expire is not used for another connection', async () => {
  await using user = await start()
  user.server.accessSessionMs = 30_000
  const { child, result, line } = await user.vnc('--json')
  const { url, port, computer_id } = JSON.parse(line)
  assert.deepEqual([url, computer_id], [`vnc://127.0.0.1:${port}`, 'id-of-build'])
  assert.equal(String(await read(connect(port, '127.0.0.1'), banner.length)), banner)
  assert.equal(user.requests[0]!.token, 'pp_access_2')
  child.kill('SIGINT')
  assert.equal((await result).exitCode, 0)
  assert.deepEqual(new Set(user.revoked()), new Set(['session-1', 'session-2']))
})

test('--viewer starts vncviewer, and ends with it', async () => {
  await using user = await start()
  const run = () =>
    user.home.run(['computers', 'vnc', 'build', '--viewer'], { server: user.server, env: { PATH: user.home.path } })
  const missing = await run()
  assert.equal(missing.exitCode, 1)
  assert.match(missing.stderr, /Cannot run vncviewer: it is not installed; connect another VNC client to vnc:\/\//)
  writeFileSync(join(user.home.path, 'vncviewer'), `#!/bin/sh\necho "$1" >'${user.home.path}/viewed'\n`, {
    mode: 0o755,
  })
  const { exitCode, stdout } = await run()
  assert.equal(exitCode, 0)
  assert.equal(readFileSync(join(user.home.path, 'viewed'), 'utf8'), `127.0.0.1::${/:(\d+)\n$/.exec(stdout)![1]}\n`)
  assert.deepEqual(user.revoked(), ['session-1', 'session-2'])
})

test('a local port that is taken, and one that is none, are refused, and no session stays', async () => {
  await using user = await start()
  const { port } = new URL(user.server.url)
  for (const [given, exitCode, message] of [
    [port, 1, /Cannot use port \d+: another program of this machine has it/],
    ['0', 2, /"0" as a port/],
  ] as const) {
    const run = await user.home.run(['computers', 'vnc', 'build', '--port', given], { server: user.server })
    assert.equal(run.exitCode, exitCode)
    assert.match(run.stderr, message)
  }
  assert.deepEqual(user.revoked(), ['session-1'])
})
