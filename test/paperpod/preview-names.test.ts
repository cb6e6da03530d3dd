import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { TestServer } from '../support/server.ts'
import { startGuestServer, type GuestServer } from './guest-server.ts'

describe('preview names', () => {
  let server: TestServer
  let guest: GuestServer

  before(async () => {
    server = await TestServer.start()
    guest = await startGuestServer(server, { port: 2280 })
  })
  after(() => server.stop())

  /** Returns the response to GET /health with any Host header: the guest's, the API's, or neither's. */
  const health = async (hostLine: string): Promise<{ status: number; body: string }> => {
    const { hostname, port } = new URL(server.url)
    const socket = connect(Number(port), hostname)
    socket.write(`GET /health HTTP/1.1\r\n${hostLine}connection: close\r\n\r\n`)
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk as Buffer)
    const answer = Buffer.concat(chunks).toString('latin1')
    return { status: Number(answer.slice(9, 12)), body: answer }
  }
  const name = (label: (id: string) => string, domain = 'localhost') => `${label(guest.computerId)}.${domain}`

  for (const [why, host] of [
    ['as it was issued', () => guest.host],
    ['without the port', () => guest.host.split(':')[0]!],
    ['with another port', () => `${guest.host.split(':')[0]}:1`],
    ['in upper case', () => guest.host.toUpperCase()],
    ['with a trailing dot', () => `${guest.host.split(':')[0]}.`],
    ['with a trailing dot and a port', () => guest.host.replace(':', '.:')],
  ] as const)
    test(`a name ${why} is that preview`, async () => {
      const { status, body } = await health(`host: ${host()}\r\n`)
      assert.equal(status, 404)
      assert.match(body, /no such route in the computer/)
    })

  for (const [why, host] of [
    ['a leading zero in both ports', () => name((id) => `02280-${id}-p02280_v1`)],
    ['a leading zero in the first port', () => name((id) => `02280-${id}-p2280_v1`)],
    ['a leading zero in the second port', () => name((id) => `2280-${id}-p02280_v1`)],
    ['two ports', () => name((id) => `2281-${id}-p2280_v1`)],
    ['a plus sign', () => name((id) => `+2280-${id}-p2280_v1`)],
    ['a hexadecimal port', () => name((id) => `0x8e8-${id}-p0x8e8_v1`)],
    ['port 0', () => name((id) => `0-${id}-p0_v1`)],
    ['port 65536', () => name((id) => `65536-${id}-p65536_v1`)],
    ['port 67816, which is 2280 in 16 bits', () => name((id) => `67816-${id}-p67816_v1`)],
    ['another version', () => name((id) => `2280-${id}-p2280_v2`)],
    ['a label before it', () => name((id) => `x.2280-${id}-p2280_v1`)],
    ['a label that begins with it', () => name((id) => `2280-${id}-p2280_v1x`)],
    ['an id that is too short', () => name((id) => `2280-${id.slice(1)}-p2280_v1`)],
    ['an id of another', () => name((id) => `2280-${id.slice(1)}0-p2280_v1`)],
    ['a path in the id', () => name((id) => `2280-${id.slice(0, 17)}../-p2280_v1`)],
    ['a user before it', () => name((id) => `user@2280-${id}-p2280_v1`)],
    ['nothing in the label', () => name(() => '')],
  ] as const)
    test(`a name with ${why} is neither a preview nor the API`, async () => {
      const { status, body } = await health(`host: ${host()}\r\n`)
      assert.ok(status === 404 || status === 400, `${host()} answered ${status}`)
      assert.doesNotMatch(body, /no such route in the computer|"service":"carrel"/)
    })

  for (const [why, host] of [
    ['under another domain', () => name((id) => `2280-${id}-p2280_v1`, 'evil.example')],
    ['under a domain that ends alike', () => name((id) => `2280-${id}-p2280_v1`, 'notlocalhost')],
    ['before the domain of another', () => name((id) => `2280-${id}-p2280_v1`, 'localhost.evil.example')],
    ['without a domain', () => `2280-${guest.computerId}-p2280_v1`],
    ['which is the domain itself', () => 'localhost'],
    ['which is empty', () => ''],
  ] as const)
    test(`a name ${why} is the API`, async () => {
      const { status, body } = await health(`host: ${host()}\r\n`)
      assert.equal(status, 200)
      assert.match(body, /"service":"carrel"/)
    })

  test('other headers that name a host are ignored', async () => {
    const { body } = await health(
      `host: localhost\r\nx-forwarded-host: ${guest.host}\r\nforwarded: host=${guest.host}\r\nx-host: ${guest.host}\r\n`,
    )
    assert.match(body, /"service":"carrel"/)
  })

  test('a request without a Host header is refused', async () => {
    assert.equal((await health('')).status, 400)
  })

  test('an unknown name answers with a page for a browser and JSON for a program', async () => {
    const url = `http://${name((id) => `2281-${id}-p2280_v1`)}`
    const browser = await server.preview(url, '/', { headers: { accept: 'text/html' } })
    assert.deepEqual([browser.status, browser.headers['content-type']], [404, 'text/html; charset=utf-8'])
    const program = await server.preview(url, '/', { headers: { accept: '*/*' } })
    assert.equal(JSON.parse(program.body.toString()).code, 'NOT_FOUND')
  })
})
