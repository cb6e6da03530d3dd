import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { AgentComputers } from '../support/agent-computer.ts'
import { PageVisitor } from '../support/computer-page.ts'
import { TestApp } from '../support/test-app.ts'

describe('the page of a computer', { timeout: 120_000 }, () => {
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
    assert.ok(!server.log().includes(token))
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
    for (const path of ['/api/gauges', '/api/ports', '/api/processes', '/api/terminals', '/api/files/content?path=/x'])
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
})
