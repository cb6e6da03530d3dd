import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duplexPair, type Duplex } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { limits } from '../../src/config/limits.ts'
import { makeCertificate } from '../../src/engine/computers/ssh/make-certificate.ts'
import { ByteReader } from '../../src/vnc/byte-reader.ts'
import { AgentComputers } from '../support/agent-computer.ts'
import { setLimits } from '../support/set-limits.ts'
import { TestApp } from '../support/test-app.ts'
import { plain, vncLogin, x509Plain } from '../support/vnc-client.ts'

/** The VNC server of a computer, which answers whatever a client says by the same. */
async function echoServer(guest: Duplex, greeting = 'RFB 003.008\n'): Promise<void> {
  const reader = new ByteReader(guest)
  guest.write(greeting)
  await reader.take(12)
  guest.write(Buffer.of(1, 1))
  assert.equal(await reader.uint8(), 1)
  guest.write(Buffer.alloc(4))
  guest.pipe(guest)
}

describe('the port for VNC viewers', { timeout: 20_000 }, () => {
  let server: TestApp
  let api: AgentComputers
  let id: string
  let port: number
  let greeting: string | undefined
  /** The connections into computers. */
  const connections: Duplex[] = []
  before(async () => {
    const env = { CARREL_VNC_PORT: '0', CARREL_MEMORY_OVERCOMMIT: '100', CARREL_DISK_OVERCOMMIT: '100' }
    server = await TestApp.start({ env })
    api = new AgentComputers(server)
    id = (await api.create({ handle: 'desk' })).id
    await api.create({ handle: 'other' })
    port = server.engine.settings.vncPort!
    server.engine.desktops.open = async () => ({
      connect: async () => {
        const [near, far] = duplexPair()
        connections.push(near)
        void echoServer(far, greeting).catch(() => {})
        return near
      },
      ended: new Promise(() => {}),
    })
  })
  after(() => server.stop())

  const session = async (kind: string, computer = 'desk') =>
    (await api.call('POST', `/computers/${computer}/access-sessions`, { kind })).body.session
  const tokenOf = async (kind: string, computer = 'desk') => (await session(kind, computer)).connect_token as string
  /** Sends a message as a client would, and returns as many bytes of the answer. */
  const echoed = async (stream: Duplex, message: Buffer) => {
    stream.write(message)
    return new ByteReader(stream).take(message.length)
  }

  test('a viewer logs in by TLS with the handle or the id and the token of a session, and speaks with the desktop', async () => {
    for (const [user, kind] of [
      ['desk', 'vnc'],
      ['DESK', 'vnc'],
      [id, 'browser'],
    ] as const) {
      const { stream, offered, refusal, subject } = await vncLogin(port, { user, password: await tokenOf(kind) })
      assert.deepEqual([offered, refusal, subject], [[x509Plain, plain], undefined, 'carrel-ssh'])
      const message = Buffer.from([1, 4, 1, 0, 0, 0, 0, 0, 97])
      assert.deepEqual(await echoed(stream, message), message)
      stream.destroy()
    }
  })

  test('a viewer without TLS may send the token in the clear where no certificate is set', async () => {
    const { stream, refusal } = await vncLogin(port, { user: 'desk', password: await tokenOf('vnc'), kind: plain })
    assert.equal(refusal, undefined)
    const message = Buffer.from('text')
    assert.deepEqual(await echoed(stream, message), message)
    stream.destroy()
  })

  test('an open desktop ends when its session is revoked, or its viewer leaves', async () => {
    const { id: sessionId, connect_token: password } = await session('vnc')
    const viewer = (await vncLogin(port, { user: 'desk', password })).stream
    const left = (await vncLogin(port, { user: 'desk', password })).stream
    const [ofViewer, ofLeft] = connections.slice(-2) as [Duplex, Duplex]
    const ended = [once(ofLeft, 'close')]
    left.destroy()
    await ended.pop()
    ended.push(once(viewer, 'close'), once(ofViewer, 'close'))
    assert.equal((await api.call('DELETE', `/computers/desk/access-sessions/${sessionId}`)).status, 204)
    viewer.resume()
    await Promise.all(ended)
    assert.match((await vncLogin(port, { user: 'desk', password })).refusal!, /^Cannot log in/)
  })

  test('a session has so many viewers at a time', async (t) => {
    const { socketsPerSession } = limits
    t.after(() => setLimits({ socketsPerSession }))
    setLimits({ socketsPerSession: 1 })
    const login = { user: 'desk', password: await tokenOf('vnc') }
    const { stream } = await vncLogin(port, login)
    assert.match((await vncLogin(port, login)).refusal!, /too many connections/)
    const left = once(connections.at(-1)!, 'close')
    stream.destroy()
    await left
    const next = await vncLogin(port, login)
    assert.equal(next.refusal, undefined)
    next.stream.destroy()
  })

  test('a viewer with an older TLS gets no second handshake on its connection', async () => {
    const { stream } = await vncLogin(port, { user: 'desk', password: await tokenOf('vnc'), maxVersion: 'TLSv1.2' })
    const answer = await new Promise((resolve) => {
      stream.once('error', resolve)
      ;(stream as TLSSocket).renegotiate({}, (error) => resolve(error ?? 'renegotiated'))
    })
    assert.match(String(answer), /no renegotiation/)
  })

  test('whatever is wrong with a login, the answer is the same', async () => {
    const vnc = await tokenOf('vnc')
    const refusals = new Set<string | undefined>()
    for (const [user, password] of [
      ['desk', 'pp_access_nobody'],
      ['desk', server.token],
      ['desk', ''],
      ['nobody', vnc],
      ['', vnc],
      ['desk', await tokenOf('exec')],
      ['desk', await tokenOf('vnc', 'other')],
      ['x'.repeat(limits.vncNameBytes), vnc],
    ] as const)
      refusals.add((await vncLogin(port, { user, password })).refusal)
    assert.deepEqual(
      [...refusals].map((text) => text?.slice(0, 13)),
      ['Cannot log in'],
    )
    assert.ok(!server.log().includes(vnc))
  })

  test('a share that only looks passes nothing that acts', async () => {
    const { body } = await api.call('POST', '/computers/desk/shares/links', { allow_browser: false, allow_vnc: true })
    const token = new URL(body.share.share_url).pathname.split('/').at(-1)!
    const { body: entered } = await api.call('POST', `/shares/${token}/access-sessions`, { kind: 'vnc' })
    const { stream } = await vncLogin(port, { user: 'desk', password: entered.session.connect_token })
    const key = Buffer.from([4, 1, 0, 0, 0, 0, 0, 97])
    const update = Buffer.from([3, 0, 0, 0, 0, 0, 0, 1, 0, 1])
    stream.write(Buffer.concat([Buffer.of(0), key, update]))
    assert.deepEqual(await new ByteReader(stream).take(11), Buffer.concat([Buffer.of(1), update]))
    stream.destroy()
  })

  test('a computer whose server speaks something else is said to have no desktop', async () => {
    greeting = 'HTTP/1.1 200'
    const { refusal } = await vncLogin(port, { user: 'desk', password: await tokenOf('vnc') })
    greeting = undefined
    assert.match(refusal!, /does not answer as expected/)
  })

  for (const [what, said] of [
    ['another protocol', 'GET / HTTP/1.1\r\n\r\n'],
    ['an older version', 'RFB 003.003\n'],
    ['another kind of security', 'RFB 003.008\n\x02'],
    ['another version of VeNCrypt', 'RFB 003.008\n\x13\x00\x01'],
    ['a kind that is not offered', 'RFB 003.008\n\x13\x00\x02\x00\x00\x01\x03'],
    ['a name that is too long', 'RFB 003.008\n\x13\x00\x02\x00\x00\x01\x00\xff\xff\xff\xff\x00\x00\x00\x01'],
    ['no TLS where it was chosen', 'RFB 003.008\n\x13\x00\x02\x00\x00\x01\x06GET / HTTP/1.1\r\n\r\n'],
  ] as const)
    test(`a client that begins with ${what} is let go`, async () => {
      const socket = connect({ port, host: '127.0.0.1' })
      socket.on('error', () => {}).resume()
      socket.write(Buffer.from(said, 'latin1'))
      await once(socket, 'close')
    })

  test('sessions and the connection name the port, where the image has a desktop', async () => {
    const without = (await api.call('GET', '/computers/desk/connection')).body.connection
    assert.deepEqual([without.vnc_host, without.vnc_port, without.vnc_user], [null, null, null])
    const { image_id: image } = await api.read('desk')
    Object.assign(await server.engine.images.of(image), { tools: { desktop: ['Xvnc'] } })
    const { connection } = (await api.call('GET', '/computers/desk/connection')).body
    for (const told of [connection, await session('vnc')])
      assert.deepEqual([told.vnc_host, told.vnc_port, told.vnc_user], ['127.0.0.1', port, 'desk'])
  })

  test('a client that says nothing is let go', async (t) => {
    const bounds: { sshHelloMs: number } = limits
    t.mock.property(bounds, 'sshHelloMs', 20)
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', () => {}).resume()
    await once(socket, 'close')
  })

  test('passwords from one network are counted', async () => {
    let refusal: string | undefined
    for (let count = 0; count <= limits.vncAttemptsPerMinute && !/limit/.test(refusal ?? ''); count++)
      refusal = (await vncLogin(port, { user: 'desk', password: 'wrong', kind: plain })).refusal
    assert.match(refusal!, /limit of 60/)
  })
})

test('with a certificate of its own, the server takes no password in the clear', { timeout: 20_000 }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'carrel-vnc-'))
  const pem = join(directory, 'vnc.pem')
  writeFileSync(pem, makeCertificate('vnc.example.com'))
  const server = await TestApp.start({ env: { CARREL_VNC_PORT: '0', CARREL_SSH_EDGE_PEM: pem } })
  t.after(async () => {
    await server.stop()
    rmSync(directory, { recursive: true })
  })
  const login = await vncLogin(server.engine.settings.vncPort!, { user: 'desk', password: 'pp_access_x' })
  assert.deepEqual([login.offered, login.subject], [[x509Plain], 'vnc.example.com'])
  assert.match(login.refusal!, /^Cannot log in/)
})
