import assert from 'node:assert/strict'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, describe, test } from 'node:test'
import { newSession, TestServer, until } from '../support/server.ts'

const reachOut = readFileSync(new URL('./fixtures/reach-out.py', import.meta.url), 'utf8')
const spoof = readFileSync(new URL('./fixtures/spoof.py', import.meta.url), 'utf8')

/** A network beside the host that represents the internet: the operator has allowed its address to computers. */
const outside = { name: 'carrel-t2out', host: '198.18.7.1', address: '198.18.7.2', port: 7070 }

const ipProgram = 'ip'

describe('the network of a guest', { timeout: 300_000 }, () => {
  let server: TestServer
  let listeners: Server[]
  let hostPorts: number[]
  let datagrams: Socket
  let fromGuests = 0
  const [own, other] = [newSession(), newSession()]
  let address: { own: string; other: string }

  before(async () => {
    server = await TestServer.start({ env: { CARREL_HOST: '0.0.0.0' } })
    const listen = async (host: string) => {
      const listener = createServer((socket) => {
        fromGuests++
        socket.destroy()
      })
      listener.listen(0, host)
      await once(listener, 'listening')
      return listener
    }
    listeners = [await listen('0.0.0.0'), await listen('127.0.0.1'), await listen('::')]
    hostPorts = [
      ...listeners.map((listener) => (listener.address() as AddressInfo).port),
      Number(new URL(server.url).port),
    ]
    datagrams = createSocket('udp4').bind(0, '0.0.0.0')
    await once(datagrams, 'listening')
    datagrams.on('message', () => fromGuests++)
    for (const sessionId of [own, other]) {
      await server.post('/files/write', { path: 'reach-out.py', content: reachOut, sessionId })
      await server.post('/files/write', { path: 'spoof.py', content: spoof, sessionId })
      await server.post('/process/start', {
        command: 'python3 -m http.server 8080 --bind 0.0.0.0',
        processId: 'web',
        sessionId,
      })
      await until(
        () => reach(['127.0.0.1'], [8080], sessionId),
        (answered) => answered['127.0.0.1 8080'] === 'connected',
      )
    }
    address = { own: await addressOf(own), other: await addressOf(other) }
  })
  after(async () => {
    for (const sessionId of [own, other])
      await server.post('/process/kill', { processId: 'web', signal: 'SIGKILL', sessionId })
    for (const listener of listeners) listener.close()
    datagrams.close()
    await server.stop()
  })

  const reach = async (
    addresses: string[],
    ports: number[],
    sessionId = own,
    prefix = '',
  ): Promise<Record<string, string>> => {
    const lines = addresses.flatMap((to) => ports.map((port) => `${to} ${port}`)).join('\n')
    const { stdout, stderr } = await server.shell(`echo "${lines}" | ${prefix}python3 reach-out.py`, { sessionId })
    assert.doesNotMatch(stderr, /Traceback/)
    return JSON.parse(stdout)
  }
  const addressOf = async (sessionId: string): Promise<string> =>
    (await server.shell('hostname -I', { sessionId })).stdout.trim()
  const hostAddresses = () =>
    Object.values(networkInterfaces()).flatMap((all) =>
      (all ?? []).map(({ address: one, scopeid }) => (scopeid ? `${one}%eth0` : one)),
    )

  test('reaches its own servers, through its loopback and its own address', async () => {
    const answered = await reach(['127.0.0.1', address.own], [8080])
    assert.deepEqual(answered, { '127.0.0.1 8080': 'connected', [`${address.own} 8080`]: 'connected' })
  })

  for (const [user, prefix] of [
    ['the user', ''],
    ['root', 'sudo '],
  ] as const) {
    test(`hides the services of the host from ${user}, on each of the host's addresses`, async () => {
      const beside = hostAddresses().filter((one) => one !== '127.0.0.1' && one !== '::1')
      assert.ok(beside.length > 0)
      const answered = await reach(
        ['169.254.1.1', ...beside.filter((one) => !one.includes(':'))],
        hostPorts,
        own,
        prefix,
      )
      assert.deepEqual(answered, {})
      const loopback = await reach(['127.0.0.1', '::1'], hostPorts, own, prefix)
      assert.ok(
        Object.values(loopback).every((answer) => answer === 'ECONNREFUSED'),
        JSON.stringify(loopback),
      )
      const six = await reach(
        beside.filter((one) => one.includes(':')),
        hostPorts,
        own,
        prefix,
      )
      assert.ok(!Object.values(six).includes('connected'), JSON.stringify(six))
      assert.equal(fromGuests, 0)
    })

    test(`hides other computers, private ranges and metadata from ${user}`, async () => {
      const [first, second] = address.other.split('.')
      const answered = await reach(
        [
          address.other,
          '169.254.169.254',
          '169.254.170.2',
          '100.100.100.200',
          '192.0.0.192',
          '10.0.0.1',
          '10.255.255.254',
          `${first}.${second}.0.1`,
          `${first}.${second}.255.254`,
          '172.16.0.1',
          '172.17.0.1',
          '172.31.255.254',
          '192.168.0.1',
          '192.168.1.1',
          '100.64.0.1',
          '198.18.0.1',
          '192.0.2.1',
          '198.51.100.1',
          '203.0.113.1',
        ],
        [8080, 80, 22, 53],
        own,
        prefix,
      )
      assert.deepEqual(answered, {})
    })

    test(`does not let ${user} reach reserved, multicast, broadcast or link-local addresses`, async () => {
      const answered = await reach(
        ['0.1.2.3', '224.0.0.1', '255.255.255.255', '240.0.0.1'],
        [8080, ...hostPorts],
        own,
        prefix,
      )
      assert.ok(!Object.values(answered).includes('connected'), JSON.stringify(answered))
      const six = await reach(
        ['fe80::1%eth0', 'fd00::1', '::ffff:169.254.1.1', '::ffff:10.0.0.1', 'ff02::1%eth0'],
        [80, ...hostPorts],
        own,
        prefix,
      )
      assert.ok(!Object.values(six).includes('connected'), JSON.stringify(six))
      assert.equal(fromGuests, 0)
    })
  }

  test('lets no datagram through to the host', async () => {
    const { port } = datagrams.address()
    const to = ['169.254.1.1', '255.255.255.255', '224.0.0.1', ...hostAddresses().filter((one) => !one.includes(':'))]
    const code = [
      'import socket',
      's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)',
      `for a in ${JSON.stringify(to)}:`,
      '  try: s.sendto(b"x", (a, ' + port + '))',
      '  except OSError: pass',
    ].join('\n')
    await server.post('/execute', { code, language: 'python', sessionId: own })
    const self = createSocket('udp4')
    const heard = once(datagrams, 'message')
    self.send('control', port, '127.0.0.1')
    await heard
    self.close()
    assert.equal(fromGuests, 1, "more than the host's own datagram arrived")
    fromGuests = 0
  })

  test('is the same after a restart of the server', async () => {
    await server.stop()
    server = await TestServer.start({ env: { CARREL_HOST: '0.0.0.0' } })
    assert.deepEqual(await reach(['169.254.1.1', address.other, '169.254.169.254'], [8080, hostPorts[0]!]), {})
  })

  test('allows exactly the addresses that the operator allows', async () => {
    await withOutside(async ({ heard }) => {
      const opened = await reach([outside.address, outside.host], [outside.port, hostPorts[0]!])
      assert.deepEqual(opened, { [`${outside.address} ${outside.port}`]: 'connected' })
      assert.equal(heard(), '')
    })
  })

  test('lets no guest spoof the address of another, or direct responses to it', async () => {
    await withOutside(async ({ heard }) => {
      const send = (source: string, text: string) =>
        server.shell(`sudo python3 spoof.py ${source} ${outside.address} ${outside.port} ${text}`, { sessionId: own })
      const code = [
        'import socket',
        's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)',
        's.bind(("0.0.0.0", 5000))',
        'print("ready", flush=True)',
        'while True: print(s.recv(99).decode(), flush=True)',
      ].join('\n')
      await server.post('/files/write', { path: 'listen.py', content: code, sessionId: other })
      const listener = { processId: 'listener', sessionId: other }
      await server.post('/process/start', { command: 'python3 listen.py', ...listener })
      const received = async () => (await server.post('/process/get', listener)).body.logs.stdout as string
      await until(received, (text) => text === 'ready\n')
      for (const source of [address.other, '8.8.8.8', '127.0.0.1', '10.0.0.1', outside.host]) {
        const { exitCode } = await send(source, `spoofed-${source}`)
        assert.equal(exitCode, 0, 'nothing was sent')
      }
      await send(address.own, 'honest')
      await until(heard, (text) => text.includes('honest'))
      assert.doesNotMatch(heard(), /spoofed/)
      assert.equal(await received(), 'ready\n')
      await server.post('/process/kill', listener)
    })
  })

  test("takes no more than its share of the host's connection table", async () => {
    await withOutside(async () => {
      const code = [
        'import socket',
        'for port in range(20000, 32000):',
        '  with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:',
        `    s.bind(("0.0.0.0", port)); s.sendto(b"x", ("${outside.address}", ${outside.port}))`,
      ].join('\n')
      const before = connections()
      await server.done('/execute', { code, language: 'python', sessionId: newSession() })
      const more = connections() - before
      assert.ok(more > 5000 && more < 9000, `${more} connections`)
    })
  })

  /** Sets up a network beside the host, in which a server receives connections and datagrams. */
  async function withOutside(work: (network: { heard: () => string }) => Promise<void>): Promise<void> {
    await server.stop()
    const ip = (...words: string[]) => execFileSync(ipProgram, words, { stdio: 'pipe' })
    ip('netns', 'add', outside.name)
    let receiver: ChildProcess | undefined
    try {
      ip('link', 'add', outside.name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', outside.name)
      ip('addr', 'add', `${outside.host}/30`, 'dev', outside.name)
      ip('link', 'set', outside.name, 'up')
      ip('-n', outside.name, 'addr', 'add', `${outside.address}/30`, 'dev', 'eth0')
      ip('-n', outside.name, 'link', 'set', 'eth0', 'up')
      const program = `require('net').createServer((s) => s.destroy()).listen(${outside.port});require('dgram').createSocket('udp4').on('message', function (m, r) { console.log(r.address, String(m)); this.send('answer', r.port, r.address) }).bind(${outside.port}, () => console.log('ready'))`
      receiver = spawn(ipProgram, ['netns', 'exec', outside.name, process.execPath, '-e', program])
      let text = ''
      receiver.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()))
      await until(
        () => text,
        (seen) => seen.startsWith('ready\n'),
      )
      server = await TestServer.start({
        env: { CARREL_HOST: '0.0.0.0', CARREL_ALLOW_ADDRESSES: `${outside.address}:${outside.port}` },
      })
      await work({ heard: () => text.slice('ready\n'.length) })
    } finally {
      receiver?.kill('SIGKILL')
      ip('netns', 'delete', outside.name)
    }
  }
})

function connections(): number {
  return Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_count', 'latin1'))
}
