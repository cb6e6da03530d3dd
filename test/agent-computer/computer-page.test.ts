import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { after, before, describe, mock, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { limits } from '../../src/config/limits.ts'
import type { ConnectedProcess, ConnectSpec, ExecSpec } from '../../src/drivers/driver.ts'
import { stopComputer } from '../../src/engine/computers/lifecycle/stop.ts'
import { whileRunning } from '../../src/engine/computers/lifecycle/while-running.ts'
import { AgentComputers } from '../support/agent-computer.ts'
import { PageVisitor } from '../support/computer-page.ts'
import { until } from '../support/server.ts'
import { setLimits } from '../support/set-limits.ts'
import { TestApp } from '../support/test-app.ts'

describe('the page of a computer', { timeout: 60_000 }, () => {
  let server: TestApp
  let computers: AgentComputers
  let computer: { id: string; handle: string; primary_url: string; vnc_url: string }
  before(async () => {
    server = await TestApp.start({ env: { CARREL_MEMORY_OVERCOMMIT: '100', CARREL_DISK_OVERCOMMIT: '100' } })
    computers = new AgentComputers(server)
    computer = await computers.create({ handle: 'desk' })
  })
  after(() => server.stop())

  const enter = (kind: 'browser' | 'vnc' = 'browser') => PageVisitor.enter(server, computers, computer.id, kind)

  test('is at an origin of its own, which a link with a token opens by a cookie of that host alone', async () => {
    const origin = new URL(computer.primary_url).origin
    assert.match(origin, /^http:\/\/desk\./)
    const { body } = await computers.call('POST', `/computers/${computer.id}/access-sessions`, { kind: 'browser' })
    const { access_url, connect_token: token } = body.session
    assert.equal(access_url, `${origin}/?access_token=${token}`)
    const visitor = new PageVisitor(server, origin)
    const { status, headers } = await visitor.send('GET', `/?access_token=${token}&x=1`)
    assert.deepEqual([status, headers.location], [303, '/?x=1'])
    assert.deepEqual([headers['cache-control'], headers['referrer-policy']], ['no-store', 'no-referrer'])
    const [cookie] = headers['set-cookie']!
    assert.match(cookie!, /^carrel_page=pp_access_[\w-]+; Path=\/; Max-Age=3\d{3}; HttpOnly; SameSite=Lax$/)
    visitor.cookie = cookie!.split(';')[0]!
    const answer = await visitor.send('GET', '/api/computer')
    assert.equal(answer.status, 200)
    assert.deepEqual(
      [answer.body.computer.id, answer.body.computer.handle, answer.body.session.kind],
      [computer.id, 'desk', 'browser'],
    )
    for (const path of ['/', '/desktop', '/nowhere', '/api/computer', '/assets/none.js'])
      await visitor.send('GET', `${path}?x=${token}`)
    assert.ok(!server.log().includes(token))
  })

  test('keeps no token of a link that another page loads unseen', async () => {
    const { visitor, session } = await enter()
    for (const [destination, isKept] of [
      ['document', true],
      ['image', false],
      ['iframe', false],
      ['empty', false],
    ] as const) {
      const { status, headers } = await visitor.send('GET', `/?access_token=${session.connect_token}`, {
        headers: { 'sec-fetch-dest': destination },
      })
      assert.deepEqual([status, headers['set-cookie'] !== undefined], [303, isKept], destination)
    }
  })

  test('tells no other site where its visitor was, runs in no frame, and has no files but its own', async () => {
    const { visitor } = await enter()
    for (const path of ['/', '/desktop', '/api/computer']) {
      const { headers } = await visitor.send('GET', path)
      assert.deepEqual([headers['referrer-policy'], headers['x-content-type-options']], ['no-referrer', 'nosniff'])
      assert.match(String(headers['content-security-policy']), /default-src 'none'/)
      if (path !== '/api/computer') assert.match(String(headers['content-security-policy']), /frame-ancestors 'none'/)
    }
    for (const name of ['none.js', '.hidden', '..%2Findex.html', '%2Fetc%2Fpasswd', 'a%00'])
      assert.equal((await visitor.send('GET', `/assets/${name}`)).status, 404, name)
  })

  test('tells a stranger nothing of which computers exist', async () => {
    const answers = await Promise.all(
      [computer.primary_url, computer.primary_url.replace('desk', 'none')].map(async (url) => {
        const { body, status } = await new PageVisitor(server, new URL(url).origin).send('GET', '/api/computer')
        const { requestId, ...rest } = body
        assert.ok(requestId)
        return { status, ...rest }
      }),
    )
    assert.equal(answers[0]!.status, 401)
    assert.deepEqual(answers[0], answers[1])
  })

  test('refuses every request that another page makes with its cookie', async () => {
    const { visitor } = await enter()
    const sibling = visitor.origin.replace('desk', '8080-x')
    const cases: [method: string, headers: Record<string, string>][] = [
      ['POST', { origin: sibling }],
      ['POST', { origin: 'null' }],
      ['POST', { origin: '' }],
      ['GET', { origin: sibling }],
      ['GET', { 'sec-fetch-site': 'same-site' }],
      ['GET', { 'sec-fetch-site': 'none' }],
    ]
    for (const [method, headers] of cases) {
      const { status, body } = await visitor.send(method, '/api/ports', {
        headers,
        ...(method === 'POST' ? { body: { port: 80 } } : {}),
      })
      assert.deepEqual([status, body.error.code], [403, 'forbidden'], JSON.stringify(headers))
    }
  })

  test('opens for programs by a header, whatever their origin', async () => {
    const { visitor, session } = await enter()
    const program = new PageVisitor(server, visitor.origin)
    const headers = { authorization: `Bearer ${session.connect_token}`, origin: 'https://elsewhere.example' }
    assert.equal((await program.send('GET', '/api/computer', { headers })).status, 200)
    const account = { authorization: `Bearer ${server.token}` }
    assert.equal((await program.send('GET', '/api/computer', { headers: account })).status, 401)
  })

  test('trusts no cookie that another page of its site may have set beside its own', async () => {
    const { visitor } = await enter()
    const both = { cookie: `carrel_page=pp_access_x; ${visitor.cookie}` }
    assert.equal((await visitor.send('GET', '/api/computer', { headers: both })).status, 401)
  })

  test('opens no other computer, also by its id', async () => {
    const other = await computers.create({ handle: 'other' })
    const { visitor } = await enter()
    for (const [label, status] of [
      ['other', 401],
      [other.id, 401],
      [computer.id, 200],
    ] as const) {
      const elsewhere = new PageVisitor(server, visitor.origin.replace('desk', label), visitor.cookie)
      assert.equal((await elsewhere.send('GET', '/api/computer')).status, status, label)
    }
  })

  test('gives a session of the kind vnc the desktop alone', async () => {
    const { visitor, session } = await enter('vnc')
    assert.equal(new URL(session.access_url).pathname, '/desktop')
    assert.equal((await visitor.send('GET', '/api/computer')).body.session.kind, 'vnc')
    const everything = ['gauges', 'ports', 'ports/80/open', 'processes', 'terminals', 'files/content?path=/x']
    for (const path of everything.map((route) => `/api/${route}`))
      assert.equal((await visitor.send('GET', path)).status, 403, path)
  })

  test('shows how much is used, what runs and which ports are published, and changes them', async () => {
    const { visitor } = await enter()
    const { body: gauges } = await visitor.send('GET', '/api/gauges')
    assert.equal(typeof gauges.memory.used_bytes + typeof gauges.cpu.used_seconds, 'numbernumber')
    const published = await visitor.send('POST', '/api/ports', { body: { port: 8080, visibility: 'private' } })
    assert.deepEqual([published.status, published.body.port.visibility], [201, 'private'])
    assert.deepEqual((await visitor.send('GET', '/api/ports')).body.ports, [published.body.port])
    assert.equal((await visitor.send('DELETE', '/api/ports/8080')).status, 204)
    assert.deepEqual((await visitor.send('GET', '/api/ports')).body.ports, [])
    assert.deepEqual((await visitor.send('GET', '/api/processes')).body.processes, [])
  })

  test('leads to published ports, to a private one with a token that opens nothing else', async () => {
    const { visitor, session } = await enter()
    const opened = async (port: number, visibility: string) => {
      const { body } = await visitor.send('POST', '/api/ports', { body: { port, visibility } })
      const { status, headers } = await visitor.send('GET', `/api/ports/${port}/open`)
      assert.deepEqual([status, headers['cache-control'], headers['referrer-policy']], [303, 'no-store', 'no-referrer'])
      const { origin, searchParams } = new URL(headers.location!)
      assert.equal(`${origin}${origin === body.port.url ? '' : '/'}`, body.port.url)
      return { at: new PageVisitor(server, origin), token: searchParams.get('access_token') }
    }
    assert.equal((await opened(8080, 'public')).token, null)
    const { at, token } = await opened(8080, 'private')
    const { at: other } = await opened(8081, 'private')
    const authorization = { headers: { authorization: `Bearer ${token}` } }
    // Nothing listens there.
    assert.equal((await at.send('GET', '/', authorization)).status, 502)
    const cookie = String((await at.send('GET', `/?access_token=${token}`)).headers['set-cookie'])
    assert.ok(cookie.startsWith(`carrel_access=${token};`))
    assert.equal((await other.send('GET', '/', authorization)).status, 401)
    const page = new PageVisitor(server, visitor.origin)
    assert.equal((await page.send('GET', '/api/computer', authorization)).status, 401)
    assert.equal((await server.call('GET', '/v1/me', undefined, { token: token! })).status, 401)
    const wrong = `${token!.slice(0, -1)}${token!.endsWith('A') ? 'B' : 'A'}`
    for (const forged of [wrong, `${token}A`, token!.replace(session.id, '0'.repeat(20))])
      assert.equal((await at.send('GET', '/', { headers: { authorization: `Bearer ${forged}` } })).status, 401, forged)
    await visitor.send('DELETE', '/api/ports/8081')
    const sibling = { headers: { 'sec-fetch-site': 'same-site' } }
    assert.equal((await visitor.send('GET', '/api/ports/8080/open', sibling)).status, 403)
    await visitor.send('DELETE', '/api/ports/8080')
    for (const port of ['8080', '08080', '65536', 'x'])
      assert.equal((await visitor.send('GET', `/api/ports/${port}/open`)).status, 404, port)
    await visitor.send('POST', '/api/ports', { body: { port: 8080, visibility: 'private' } })
    await computers.call('DELETE', `/computers/${computer.id}/access-sessions/${session.id}`)
    assert.equal((await at.send('GET', '/', authorization)).status, 401)
    await computers.call('DELETE', `/computers/${computer.id}/ports/8080`)
    assert.ok(!server.log().includes(token!))
    assert.ok(!server.log().includes(session.connect_token))
  })

  test('answers with data alone, also where it has nothing', async () => {
    const { visitor } = await enter()
    for (const [method, path, status] of [
      ['GET', '/api/computer', 200],
      ['GET', '/api/nothing', 404],
      ['GET', '/%3Cscript%3E', 404],
      ['PATCH', '/api/computer', 405],
      ['GET', '/%', 400],
    ] as const) {
      const { status: answered, headers } = await visitor.send(method, path)
      const policy = headers['content-security-policy']
      assert.deepEqual(
        [answered, headers['x-content-type-options'], policy],
        [status, 'nosniff', "default-src 'none'; sandbox"],
        path,
      )
    }
  })

  test('sends files to be saved, never to be opened, and takes them', async () => {
    const { visitor } = await enter()
    const path = '/home/node/workspace/evil.html'
    const bytes = Buffer.from('<script>alert(1)</script>')
    const content = `/api/files/content?path=${encodeURIComponent(path)}`
    const headers = { 'content-type': 'text/html' }
    assert.equal((await visitor.send('PUT', content, { headers, body: bytes })).status, 204)
    const got = await visitor.send('GET', content)
    assert.deepEqual(got.bytes, bytes)
    assert.deepEqual(
      ['content-type', 'x-content-type-options', 'content-security-policy', 'cache-control'].map(
        (name) => got.headers[name],
      ),
      ['application/octet-stream', 'nosniff', "default-src 'none'; sandbox", 'no-store'],
    )
    assert.match(got.headers['content-disposition']!, /^attachment; filename="evil.html"/)
    const read = await visitor.send('POST', '/api/files/ops', { body: { operation: 'read_text', path } })
    assert.deepEqual([read.status, read.body], [200, { content: bytes.toString() }])
    assert.equal((await visitor.send('GET', '/api/files/content?path=/etc/passwd')).status, 400)
  })

  describe('its terminals', () => {
    /** A shell that repeats what it reads, in place of the login shell of a real computer. */
    const shell = ['sh', '-c', 'echo ready; while read -r line; do echo "got $line"; done']
    before(() => {
      const exec = server.driver.exec.bind(server.driver)
      mock.method(server.driver, 'exec', (id: string, spec: ExecSpec) =>
        exec(id, spec.tty ? { ...spec, argv: shell } : spec),
      )
    })
    after(() => mock.restoreAll())

    const open = async (visitor: PageVisitor) =>
      (await visitor.send('POST', '/api/terminals', { body: { cols: 80, rows: 24 } })).body.terminal
    /** Attaches to a terminal, and returns what arrives: messages, and output until it ends with a text. */
    const attach = (visitor: PageVisitor, id: string, after = 0) => {
      const socket = visitor.socket(`/api/terminals/${id}/socket?after=${after}`)
      const messages: any[] = [] // oxlint-disable-line typescript/no-explicit-any -- messages have many shapes
      let output = ''
      let changed = Promise.withResolvers<void>()
      socket.on('message', (data: Buffer, isBinary) => {
        if (isBinary) output += data.toString()
        else messages.push(JSON.parse(data.toString()))
        changed.resolve()
        changed = Promise.withResolvers()
      })
      const closed = once(socket, 'close').then(([code, reason]) => [code, String(reason)] as const)
      const until = async (isDone: () => boolean) => {
        while (!isDone()) await changed.promise
      }
      return {
        socket,
        closed,
        messages,
        output: () => output,
        printed: (text: string) => until(() => output.includes(text)),
        message: async (type: string) => {
          await until(() => messages.some((message) => message.type === type))
          return messages.find((message) => message.type === type)
        },
      }
    }

    test('outlive their clients, who continue where they were', async () => {
      const { visitor } = await enter()
      const terminal = await open(visitor)
      assert.deepEqual([terminal.title, terminal.exited], ['Terminal 1', false])
      const first = attach(visitor, terminal.id)
      assert.partialDeepStrictEqual(await first.message('ready'), { offset: 0, cols: 80, rows: 24 })
      first.socket.send(Buffer.from('one\n'))
      await first.printed('got one\r\n')
      const received = first.output().length
      first.socket.send(JSON.stringify({ type: 'resize', cols: 100, rows: 30 }))
      first.socket.send(Buffer.from('two\n'))
      await first.printed('got two\r\n')
      first.socket.terminate()
      const { visitor: later } = await enter()
      assert.deepEqual((await later.send('GET', '/api/terminals')).body.terminals, [terminal])
      const second = attach(later, terminal.id, received)
      assert.partialDeepStrictEqual(await second.message('ready'), {
        type: 'ready',
        offset: received,
        cols: 100,
        rows: 30,
      })
      await second.printed('two\r\n')
      assert.match(second.output(), /^(two\r\n)?got two\r\n$/)
      const elsewhere = attach(later, terminal.id, 1_000_000)
      assert.partialDeepStrictEqual(await elsewhere.message('ready'), {
        offset: 0,
        end: second.output().length + received,
      })
      await elsewhere.printed('got two\r\n')
      elsewhere.socket.terminate()
      second.socket.send('no message')
      assert.equal((await second.message('error')).code, 'invalid_request')
      assert.equal((await later.send('DELETE', `/api/terminals/${terminal.id}`)).status, 204)
      assert.deepEqual(await second.message('exit'), { type: 'exit', code: 137, signal: 'SIGKILL' })
      assert.equal((await second.closed)[0], 1000)
    })

    test('are limited, and none of another computer is found', async () => {
      const { visitor } = await enter()
      const opened = await Promise.all(Array.from({ length: limits.terminalsPerComputer + 3 }, () => open(visitor)))
      const ids = opened.filter(Boolean).map(({ id }) => id)
      assert.equal(ids.length, limits.terminalsPerComputer)
      const other = await computers.create()
      const { visitor: stranger } = await PageVisitor.enter(server, computers, other.id)
      assert.equal((await stranger.send('DELETE', `/api/terminals/${ids[0]}`)).status, 404)
      const refused = attach(stranger, ids[0])
      assert.equal((await refused.message('error')).code, 'not_found')
      assert.equal((await refused.closed)[0], 1011)
      for (const id of ids) assert.equal((await visitor.send('DELETE', `/api/terminals/${id}`)).status, 204)
    })

    test('take no WebSocket that another page opens, and none without an origin', async () => {
      const { visitor } = await enter()
      const { id } = await open(visitor)
      const path = `/api/terminals/${id}/socket`
      const sibling = visitor.origin.replace('desk', '8080-x')
      const refused: Record<string, string>[] = [
        { origin: sibling },
        { origin: '' },
        { 'sec-fetch-site': 'same-site' },
        { cookie: '' },
      ]
      for (const headers of refused) {
        const [error] = await once(visitor.socket(path, headers), 'error')
        assert.match(String(error), /40[13]/, JSON.stringify(headers))
      }
      await visitor.send('DELETE', `/api/terminals/${id}`)
    })

    test('are left by a client whose session is revoked, and by one whose computer stops', async () => {
      const { id } = await computers.create()
      const endings: [code: number, end: (session: { id: string }) => Promise<unknown>][] = [
        [4401, (session) => computers.call('DELETE', `/computers/${id}/access-sessions/${session.id}`)],
        [4409, () => computers.done('POST', `/computers/${id}/actions/stop`)],
      ]
      for (const [code, end] of endings) {
        const { visitor, session } = await PageVisitor.enter(server, computers, id)
        const attached = attach(visitor, (await open(visitor)).id)
        await attached.message('ready')
        await end(session)
        assert.equal((await attached.closed)[0], code)
        assert.equal((await visitor.send('GET', '/api/computer')).status, 401)
      }
    })

    test('are at most so many WebSockets of a session', async () => {
      const { visitor } = await enter()
      const { id } = await open(visitor)
      const all = Array.from({ length: limits.socketsPerSession + 1 }, () => attach(visitor, id))
      const [code] = await Promise.race(all.map(({ closed }) => closed))
      assert.equal(code, 1013)
      for (const { socket } of all) socket.terminate()
      await visitor.send('DELETE', `/api/terminals/${id}`)
    })
  })

  test('passes the desktop through, also what is no RFB, to a client that reads slowly', async (t) => {
    const guest = createServer((connection) => {
      connection.on('error', () => {})
      connection.write(Buffer.alloc(16 * 1024 * 1024, 7))
      connection.once('data', (data) => connection.end(data))
    })
    await once(guest.listen(0, '127.0.0.1'), 'listening')
    t.after(() => guest.close())
    t.mock.method(server.engine.desktops, 'open', async () => ({
      connect: async () => connect((guest.address() as AddressInfo).port, '127.0.0.1'),
      ended: new Promise(() => {}),
    }))
    const { visitor, session } = await enter('vnc')
    const socket = visitor.socket('/api/desktop/socket')
    let received = 0
    const all = Promise.withResolvers<void>()
    socket.on('message', (data: Buffer) => {
      received += data.length
      if (received === 16 * 1024 * 1024) all.resolve()
    })
    await once(socket, 'open')
    socket.pause()
    await setImmediate()
    socket.resume()
    await all.promise
    const echoed = once(socket, 'message')
    const closed = once(socket, 'close')
    socket.send(Buffer.from([1, 2, 3]))
    assert.deepEqual((await echoed)[0], Buffer.from([1, 2, 3]))
    assert.deepEqual((await closed)[0], 1011)
    const open = visitor.socket('/api/desktop/socket')
    await once(open, 'message')
    await computers.call('DELETE', `/computers/${computer.id}/access-sessions/${session.id}`)
    assert.equal((await once(open, 'close'))[0], 4401)
  })

  test('disconnects a client of the desktop or the sound that sends text, without an error in the log', async (t) => {
    const guest = createServer((connection) => {
      connection.on('error', () => {})
      connection.write('RFB 003.008\n')
    })
    await once(guest.listen(0, '127.0.0.1'), 'listening')
    t.after(() => guest.close())
    t.mock.method(server.engine.desktops, 'open', async () => ({
      connect: async () => connect((guest.address() as AddressInfo).port, '127.0.0.1'),
      ended: new Promise(() => {}),
    }))
    const dial = server.driver.connect.bind(server.driver)
    t.mock.method(server.driver, 'connect', (id: string, spec: ConnectSpec) =>
      dial(id, { ...spec, argv: ['sleep', '1000'] }),
    )
    const { visitor } = await enter()
    for (const what of ['desktop', 'sound']) {
      const socket = visitor.socket(`/api/${what}/socket`)
      await once(socket, 'message')
      const closed = once(socket, 'close')
      socket.send('hello')
      const [code, reason] = await closed
      assert.deepEqual([code, String(reason)], [1003, 'text messages are not taken here'], what)
    }
    assert.doesNotMatch(server.log(), /"level":"?(50|error)/)
  })

  test('says why there is no desktop and no sound', async () => {
    const { visitor } = await enter()
    for (const what of ['desktop', 'sound']) {
      const socket = visitor.socket(`/api/${what}/socket`)
      const errors: string[] = []
      socket.on('message', (data: Buffer) => errors.push(JSON.parse(data.toString()).code))
      const [code, reason] = await once(socket, 'close')
      assert.deepEqual([code, errors.at(-1)], [1011, 'package_missing'])
      assert.match(String(reason), new RegExp(`Cannot (open|play) the ${what}`))
    }
  })

  test('records the sound once for all who listen, and ends when nobody does', async (t) => {
    const dial = server.driver.connect.bind(server.driver)
    const recorded: ConnectedProcess[] = []
    t.mock.method(server.driver, 'connect', async (id: string, spec: ConnectSpec) => {
      const argv = ['sh', '-c', 'while :; do printf 12345678901; sleep 0.01; done']
      recorded.push(await dial(id, { ...spec, argv }))
      return recorded.at(-1)
    })
    const { visitor } = await enter()
    const listen = async () => {
      const socket = visitor.socket('/api/sound/socket')
      const [format] = await once(socket, 'message')
      assert.deepEqual(JSON.parse(format), { type: 'format', rate: 48_000, channels: 2, encoding: 's16le' })
      const [sound] = await once(socket, 'message')
      assert.equal(sound.length % 4, 0)
      return socket
    }
    const [one, two] = await Promise.all([listen(), listen()])
    assert.equal(recorded.length, 1)
    one.terminate()
    await once(two, 'message')
    two.terminate()
    await recorded[0]!.process.wait()
    const again = await listen()
    assert.equal(recorded.length, 2)
    const closed = once(again, 'close')
    await recorded[1]!.process.kill('SIGKILL', 'tree')
    assert.equal((await closed)[0], 1011)
  })

  test('gives visitors of a share what the share is for', async (t) => {
    const sent: string[] = []
    const guest = createServer((connection) => {
      connection.on('error', () => {})
      connection.on('data', (data) => sent.push(data.toString('hex')))
      connection.write('RFB 003.008\n')
    })
    await once(guest.listen(0, '127.0.0.1'), 'listening')
    t.after(() => guest.close())
    t.mock.method(server.engine.desktops, 'open', async () => ({
      connect: async () => connect((guest.address() as AddressInfo).port, '127.0.0.1'),
      ended: new Promise(() => {}),
    }))
    const come = async (allowed: object) => {
      const { body } = await computers.call('POST', `/computers/${computer.id}/shares/links`, allowed)
      const token = new URL(body.share.share_url).pathname.split('/').at(-1)
      const { body: opened } = await server.call('POST', `/v1/shares/${token}/access-sessions`, {}, { token: null })
      return { share: body.share, visitor: await PageVisitor.come(server, opened.session.access_url) }
    }
    const { visitor: guestOfPage } = await come({ allow_browser: true })
    const { session } = (await guestOfPage.send('GET', '/api/computer')).body
    assert.deepEqual([session.kind, session.shared, session.view_only], ['browser', true, false])
    assert.equal((await guestOfPage.send('GET', '/api/terminals')).status, 200)
    assert.equal((await guestOfPage.send('POST', '/api/ports', { body: { port: 80 } })).status, 403)
    const { visitor, share } = await come({ allow_vnc: true })
    const { view_only } = (await visitor.send('GET', '/api/computer')).body.session
    assert.deepEqual([view_only, (await visitor.send('GET', '/api/terminals')).status], [true, 403])
    const socket = visitor.socket('/api/desktop/socket')
    await once(socket, 'message')
    const [key, request] = ['0401000000000061', '03010000000004000300']
    socket.send(Buffer.from(`${Buffer.from('RFB 003.008\n').toString('hex')}0100${key}${request}`, 'hex'))
    await until(
      async () => sent.join(''),
      (all) => all.endsWith(request),
    )
    assert.ok(!sent.join('').includes(key))
    const { socketsPerShare } = limits
    setLimits({ socketsPerShare: 1 })
    t.after(() => setLimits({ socketsPerShare }))
    assert.equal((await once(visitor.socket('/api/desktop/socket'), 'close'))[0], 1013)
    const closed = once(socket, 'close')
    await computers.call('DELETE', `/computers/${computer.id}/shares/links/${share.id}`)
    assert.equal((await closed)[0], 4401)
  })

  test('tells why a computer was stopped that is not paid for, but no visitor of a share', async () => {
    const { id } = await computers.create()
    const { visitor } = await PageVisitor.enter(server, computers, id)
    const { body } = await computers.call('POST', `/computers/${id}/shares/links`, { allow_browser: true })
    const token = new URL(body.share.share_url).pathname.split('/').at(-1)
    const { body: opened } = await server.call('POST', `/v1/shares/${token}/access-sessions`, {}, { token: null })
    const guest = await PageVisitor.come(server, opened.session.access_url)
    const dial = server.driver.connect.bind(server.driver)
    const connect = mock.method(server.driver, 'connect', (of: string, spec: ConnectSpec) =>
      dial(of, { ...spec, argv: ['sleep', '1000'] }),
    )
    const sockets = [visitor, guest].map((each) => each.socket('/api/sound/socket'))
    const closed = Promise.all(sockets.map((socket) => once(socket, 'close')))
    await Promise.all(sockets.map((socket) => once(socket, 'message')))
    assert.equal((await computers.call('GET', `/computers/${id}`)).body.computer.state_reason, null)
    await whileRunning(server.engine, id, (row) => stopComputer(server.engine, row, 'billing', 'spending_limit'))
    const stopped = 'the computer of the access session has stopped'
    assert.deepEqual(
      (await closed).map(([code, reason]) => [code, String(reason)]),
      [
        [4409, `${stopped}: a spending limit of the workspace is used up`],
        [4409, stopped],
      ],
    )
    connect.mock.restore()
    const { state, state_reason, failure_reason } = (await computers.call('GET', `/computers/${id}`)).body.computer
    assert.deepEqual([state, state_reason, failure_reason], ['stopped', 'spending_limit', null])
  })

  test('shows what runs as the computer itself says, and ends it', async (t) => {
    const dial = server.driver.connect.bind(server.driver)
    const asked: ConnectSpec[] = []
    const started = 'Sun Nov  8 12:07:20 2026'
    const lines = [
      `1 root ${started} 0 100 init`,
      `  42 node  ${started}  1  2048 sleep 100  x`,
      'broken',
      `43 node ${started} 1 1 ${'x'.repeat(2000)}`,
    ]
    t.mock.method(server.driver, 'connect', (id: string, spec: ConnectSpec) => {
      asked.push(spec)
      return dial(id, { ...spec, argv: ['printf', '%s\\n', ...lines] })
    })
    const { id } = await computers.create()
    const { visitor } = await PageVisitor.enter(server, computers, id)
    const looks = await Promise.all([1, 2].map(() => visitor.send('GET', '/api/processes')))
    assert.equal(asked.length, 1, 'who looks at the same time sees the same')
    const [sleep, long] = looks[0]!.body.processes
    const { started_at, ...facts } = sleep
    assert.equal(started_at, '2026-11-08T12:07:20.000Z')
    const described = { id: 'pid-42', pid: 42, command: 'sleep 100  x', kind: 'program', user: 'node' }
    assert.deepEqual(facts, { ...described, cpu_seconds: 1, memory_bytes: 2048 * 1024 })
    assert.equal(long.command.length, 1024)
    const signal = (target: string) =>
      visitor.send('POST', `/api/processes/${target}/signal`, { body: { signal: 'SIGTERM' } })
    assert.equal((await signal('pid-42')).status, 204)
    assert.deepEqual([asked.at(-1)?.argv, asked.at(-1)?.user], [['kill', '-s', 'TERM', '42'], '0'])
    for (const none of ['pid-1', 'pid-0', 'none']) assert.equal((await signal(none)).status, 404, none)
  })
})

test('a terminal of the page survives the server', async (t) => {
  const env = { CARREL_MEMORY_OVERCOMMIT: '100', CARREL_DISK_OVERCOMMIT: '100' }
  const first = await TestApp.start({ env })
  const exec = first.driver.exec.bind(first.driver)
  t.mock.method(first.driver, 'exec', (id: string, spec: ExecSpec) =>
    exec(id, spec.tty ? { ...spec, argv: ['cat'] } : spec),
  )
  const { id } = await new AgentComputers(first).create()
  const { visitor } = await PageVisitor.enter(first, new AgentComputers(first), id)
  const { body } = await visitor.send('POST', '/api/terminals', { body: { cols: 90, rows: 20 } })
  await first.stop('SIGKILL')
  const second = await TestApp.start({ env })
  t.after(() => second.stop())
  const later = new PageVisitor(second, visitor.origin.replace(/:\d+$/, `:${new URL(second.url).port}`), visitor.cookie)
  assert.deepEqual((await later.send('GET', '/api/terminals')).body.terminals, [body.terminal])
  const socket = later.socket(`/api/terminals/${body.terminal.id}/socket`)
  const [ready] = await once(socket, 'message')
  assert.partialDeepStrictEqual(JSON.parse(ready), { type: 'ready', offset: 0, cols: 90, rows: 20 })
  const printed = once(socket, 'message')
  socket.send(Buffer.from('hello\n'))
  assert.match(String((await printed)[0]), /hello/)
  socket.terminate()
})
