import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { limits } from '../config/limits.ts'
import { DescriptorBudget } from '../engine/budgets/descriptor-budget.ts'
import { ClientNetworks } from './client-networks.ts'
import { Connections } from './connections.ts'

/** Starts a server whose connections are counted, and returns both ends of each. */
async function start(t: TestContext, limit: number, proxies: string[] = []) {
  const budget = new DescriptorBudget(limit)
  const connections = new Connections({ budget, networks: new ClientNetworks(proxies) })
  const server = createServer({ allowHalfOpen: true })
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    connections.accept(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const clients: Socket[] = []
  t.after(() => {
    connections.close()
    for (const client of clients) client.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const open = async (from = '127.0.0.1') => {
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const client = connect({ port, host: '127.0.0.1', localAddress: from })
    client.on('error', () => {})
    clients.push(client)
    const [socket] = await accepted
    return { client, socket }
  }
  const openMany = async (count: number, from?: string) => {
    const opened = []
    for (let index = 0; index < count; index++) opened.push(await open(from))
    return opened
  }
  return { budget, connections, open, openMany }
}

const requestOn = (socket: Socket, forwarded?: string) =>
  ({ socket, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage

describe('Connections', { timeout: 20_000 }, () => {
  test('the oldest silent connection of a network gives way to its next one', async (t) => {
    const { budget, openMany, open } = await start(t, 256)
    const first = await openMany(40)
    const others = await openMany(5, '127.0.0.2')
    const held = budget.held
    assert.ok(held < budget.total / 4, `${held} are held`)
    const { socket } = await open()
    assert.ok(!socket.destroyed)
    assert.ok(first[0]!.socket.destroyed)
    assert.ok(others.every((other) => !other.socket.destroyed))
    assert.ok(budget.held <= held)
  })

  test('however many networks are silent, another one is admitted, and much of the budget is left', async (t) => {
    const { budget, openMany, open } = await start(t, 256)
    for (let host = 2; host < 40; host++) await openMany(3, `127.0.0.${host}`)
    assert.ok(budget.held <= budget.total / 4)
    assert.ok(!(await open()).socket.destroyed)
  })

  test('an identified connection stays, and counts against its account until it closes', async (t) => {
    const { budget, connections, open, openMany } = await start(t, 256)
    const own = await open()
    connections.belongTo(own.socket, 'a')
    connections.belongTo(own.socket, 'a')
    await openMany(60)
    assert.ok(!own.socket.destroyed)
    const { socket } = await open()
    const mine = budget.sharesOf({ account: 'a' })
    const rest = []
    for (let lease = budget.tryTake(mine); lease; lease = budget.tryTake(mine)) rest.push(lease)
    assert.throws(() => connections.belongTo(socket, 'a'), { code: 'limit_reached' })
    connections.belongTo(socket, 'b')
    own.socket.destroy()
    await once(own.socket, 'close')
    connections.belongTo((await open()).socket, 'a')
    for (const { release } of rest) release()
  })

  test("a visitor gets no more than a part of a preview's budget, also through a proxy", async (t) => {
    const { budget, connections, openMany } = await start(t, 1024, ['loopback'])
    const opened = await openMany(80)
    let refused = 0
    for (const { socket } of opened)
      try {
        connections.visit(requestOn(socket, '203.0.113.1'), 'c', 'a')
      } catch (error) {
        assert.equal((error as { code: string }).code, 'no_capacity')
        refused++
      }
    assert.ok(refused > 0 && refused < 40, `${refused} were refused`)
    const last = requestOn(opened.at(-1)!.socket, '203.0.113.2')
    const visit = connections.visit(last, 'c', 'a')
    assert.equal(connections.visit(last, 'c', 'a'), visit)
    assert.equal(budget.held, 80)
  })

  test('a connection that sends nothing is closed after a while, one that has begun a request is not', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const now = t.mock.method(performance, 'now', () => 0)
    const { open } = await start(t, 256)
    const silent = await open()
    const begun = await open()
    begun.socket.resume()
    begun.client.write('GET / HTTP/1.1\r\n')
    await once(begun.socket, 'data')
    now.mock.mockImplementation(() => limits.silentConnectionMs + 1)
    t.mock.timers.tick(limits.silentConnectionMs)
    assert.deepEqual([silent.socket.destroyed, begun.socket.destroyed], [true, false])
  })

  test('a new connection that finds no room gets 503 with Retry-After', async (t) => {
    const { budget, open } = await start(t, 256)
    budget.tryTake(budget.sharesOf({}), budget.total)
    const { client } = await open()
    let answer = ''
    for await (const chunk of client) answer += String(chunk)
    assert.match(answer, /^HTTP\/1\.1 503 .*\r\nretry-after: \d/)
  })
})
