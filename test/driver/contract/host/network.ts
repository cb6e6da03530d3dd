import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { before, test, type TestContext } from 'node:test'
import { text } from 'node:stream/consumers'
import { until } from '../../../support/server.ts'
import { settles } from '../../../support/settles.ts'
import { stdoutWith, type Part } from '../../subject.ts'

/** A server that answers each connection with the IP version that it used, and with what was sent. */
const echoServer = `
import socket, sys, threading
family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
server = socket.socket(family)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((sys.argv[1], int(sys.argv[2])))
server.listen(50)
print('listening', flush=True)
def serve(connection):
    while data := connection.recv(65536): connection.sendall(data)
    connection.sendall(b'bye'); connection.close()
while True: threading.Thread(target=serve, args=server.accept()[:1]).start()`

/** A program that connects to every address:port at once, and prints those that answered. */
const connector = `
import socket, sys, threading
def attempt(target):
    host, port = target.rsplit('|', 1)
    try:
        socket.create_connection((host, int(port)), 3).close(); print('connected', target, flush=True)
    except OSError as error: pass
threads = [threading.Thread(target=attempt, args=(target,)) for target in sys.argv[1:]]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
print('done')`

export const describeNetwork: Part = (subject) => {
  let id: string
  before(async () => {
    id = await subject().computer()
  })

  async function serve(t: TestContext, computerId: string, address: string, port: number): Promise<void> {
    const process = await subject().exec(computerId, ['python3', '-c', echoServer, address, String(port)])
    t.after(() => process.kill('SIGKILL', 'tree'))
    await stdoutWith(process, 'listening')
  }

  const ports = async () => (await subject().driver.listeners(id)).map(({ port }) => port)

  for (const [index, address] of ['127.0.0.1', '0.0.0.0', '::1', '::'].entries()) {
    test(`dial() reaches a server that listens on ${address}`, async (t) => {
      await serve(t, id, address, 4000 + index)
      const connection = await settles(subject().driver.dial(id, 4000 + index))
      connection.end('hello')
      assert.equal(await settles(text(connection)), 'hellobye')
    })
  }

  test('dial() carries large amounts of data in both directions', async (t) => {
    await serve(t, id, '127.0.0.1', 4010)
    const connection = await subject().driver.dial(id, 4010)
    connection.end(Buffer.alloc(8 * 1024 * 1024, 'x'))
    assert.equal((await settles(text(connection))).length, 8 * 1024 * 1024 + 3)
  })

  test('dial() throws upstream_unreachable when nothing listens on the port, and conflict for a stopped computer', async (t) => {
    await assert.rejects(settles(subject().driver.dial(id, 4999)), {
      code: 'upstream_unreachable',
      details: { port: 4999, reason: 'nothing_listens' },
    })
    const stopped = await subject().computer(t)
    await subject().driver.stop(stopped, 0)
    await assert.rejects(subject().driver.dial(stopped, 4999), { code: 'conflict' })
  })

  test('dial() reaches the named computer, whatever other computers listen on', async (t) => {
    const other = await subject().computer(t)
    await serve(t, other, '127.0.0.1', 4020)
    await assert.rejects(subject().driver.dial(id, 4020), { code: 'upstream_unreachable' })
    ;(await subject().driver.dial(other, 4020)).destroy()
  })

  test('listeners() returns the ports of servers, ascending, while they listen', async (t) => {
    assert.deepEqual(await subject().driver.listeners(id), [])
    await serve(t, id, '::1', 4031)
    await serve(t, id, '127.0.0.1', 4030)
    await serve(t, id, '0.0.0.0', 80)
    assert.deepEqual(await ports(), [80, 4030, 4031])
    await subject().shell(id, 'pkill -f 4030')
    await until(ports, (open) => open.join() === '80,4031')
  })

  test('listeners() reports each address and the process that opened it, also through children and sudo, and after its end', async (t) => {
    const other = await subject().computer(t)
    const listener = (port: number) => async () =>
      (await subject().driver.listeners(other)).find((found) => found.port === port)
    const start = async (script: string) => {
      const process = await subject().exec(other, ['bash', '-c', script])
      t.after(() => process.kill('SIGKILL', 'tree').catch(() => {}))
      return process.processId
    }
    const plain = await start(`exec python3 -c ${shellQuote(echoServer)} 127.0.0.1 4040`)
    const child = await start(`(env -i python3 -c ${shellQuote(echoServer)} :: 4041; true); true`)
    const left = await start(`setsid python3 -c ${shellQuote(echoServer)} 127.0.0.2 4042 >/dev/null 2>&1 & true`)
    const wanted = [
      { port: 4040, address: '127.0.0.1', processId: plain, reachable: true },
      { port: 4041, address: '::', processId: child, reachable: true },
      { port: 4042, address: '127.0.0.2', processId: left, reachable: false },
    ]
    for (const listening of wanted) assert.deepEqual(await until(listener(listening.port), Boolean), listening)
  })

  test('a made-up marker does not lead to another process', async (t) => {
    const other = await subject().computer(t)
    const script = `(env -i CARREL_PROCESS_ID=../../etc python3 -c ${shellQuote(echoServer)} :: 4050; true); true`
    const process = await subject().exec(other, ['bash', '-c', script])
    t.after(() => process.kill('SIGKILL', 'tree'))
    const [found] = await until(
      () => subject().driver.listeners(other),
      (listeners) => listeners.length > 0,
    )
    assert.equal(found?.processId, process.processId)
  })

  test("dial() reaches a server that listens only on the computer's own address", async (t) => {
    const { stdout } = await subject().shell(id, "hostname -I | tr ' ' '\\n' | head -1")
    await serve(t, id, stdout.trim(), 4060)
    const connection = await settles(subject().driver.dial(id, 4060))
    connection.end('hello')
    assert.equal(await settles(text(connection)), 'hellobye')
    assert.equal((await subject().driver.listeners(id)).find(({ port }) => port === 4060)?.reachable, true)
  })

  test('a service of the host cannot be reached from a computer, by any address', async (t) => {
    const server = createServer((socket) => socket.end())
    server.listen(0, '::')
    await once(server, 'listening')
    t.after(() => server.close())
    const { port } = server.address() as { port: number }
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses!.map(({ address }) => address))
    const reached = connect(
      port,
      own.find((address) => address !== '127.0.0.1' && !address.includes(':')) ?? '127.0.0.1',
    )
    await once(reached, 'connect')
    reached.destroy()
    const gateway = (await subject().shell(id, "awk '$2 == 0 {print $3}' /proc/net/route | head -1")).stdout.trim()
    const gatewayAddress = gateway
      .match(/../g)
      ?.toReversed()
      .map((byte) => Number.parseInt(byte, 16))
      .join('.')
    assert.match(gatewayAddress ?? '', /^\d+\.\d+\.\d+\.\d+$/)
    const targets = [...new Set([...own, gatewayAddress])].map((address) => `${address}|${port}`)
    const { stdout } = await subject().run(id, ['python3', '-c', connector, ...targets])
    assert.equal(stdout, 'done\n')
  })

  test('another computer and the metadata address cannot be reached from a computer', async (t) => {
    const other = await subject().computer(t)
    await serve(t, other, '0.0.0.0', 4040)
    const address = (
      await subject().python(other, 'import socket; print(socket.gethostbyname(socket.gethostname()))')
    ).stdout.trim()
    assert.match(address, /^\d+\.\d+\.\d+\.\d+$/)
    const itself = await subject().run(other, ['python3', '-c', connector, `${address}|4040`])
    assert.match(itself.stdout, /connected/)
    const { stdout } = await subject().run(id, ['python3', '-c', connector, `${address}|4040`, '169.254.169.254|80'])
    assert.equal(stdout, 'done\n')
  })
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
