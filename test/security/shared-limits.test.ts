import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { hostLimits, terminalsPerComputer } from '../../src/drivers/local/host/host-limits.ts'
import { call } from '../../src/drivers/local/system/libc.ts'
import { closeSync } from 'node:fs'
import { paths } from '../faults/host-traces.ts'
import { newSession, TestServer, until } from '../support/server.ts'

const takeAll = readFileSync(new URL('./fixtures/take-all.py', import.meta.url), 'utf8')
const MiB = 1024 * 1024

/**
 * Resources that the kernel counts per user or for the whole host, and that one computer must not take from another.
 */
describe('kernel resources that all computers share', { timeout: 300_000 }, () => {
  let server: TestServer
  const [greedy, other] = [newSession(), newSession()]

  before(async () => {
    server = await TestServer.start()
    for (const sessionId of [greedy, other])
      await server.post('/files/write', { path: '/tmp/take-all.py', content: takeAll, sessionId })
  })
  after(() => server.stop())

  /** Lets root of a computer take as much of a resource as it can get, and hold it meanwhile. */
  async function whileTaken(kind: string, most: number, work: (taken: number) => Promise<void>): Promise<void> {
    const command = `exec sudo python3 /tmp/take-all.py ${kind} ${most} hold`
    const started = { processId: `take-${kind}`, sessionId: greedy }
    await server.done('/process/start', { command, ...started })
    try {
      const { logs } = await until(
        async () => (await server.post('/process/get', started)).body,
        (body) => body.logs.stdout.endsWith('\n') || body.logs.stderr !== '',
      )
      assert.equal(logs.stderr, '')
      await work(Number(logs.stdout))
    } finally {
      await server.shell('sudo pkill -f take-all.py; true', { sessionId: greedy })
    }
  }
  const inOther = async (kind: string, most: number) =>
    Number((await server.shell(`python3 /tmp/take-all.py ${kind} ${most}`, { sessionId: other })).stdout)

  test('inotify instances: one computer gets no more than one user of the host, and takes none from others', async () => {
    await whileTaken('inotify', 300, async (taken) => {
      assert.ok(
        taken > 0 && taken <= Number(readFileSync('/proc/sys/fs/inotify/max_user_instances', 'latin1')),
        `${taken}`,
      )
      assert.equal(await inOther('inotify', 60), 60)
      closeSync(call('inotify_init1', 0))
    })
  })

  test('pending signals', async () => {
    await whileTaken('signals', 200_000, async () => assert.equal(await inOther('signals', 1000), 1000))
  })

  test('message queues', async () => {
    await whileTaken('queues', 100, async (taken) => {
      assert.ok(taken < 600)
      assert.equal(await inOther('queues', 5), 5)
    })
  })

  test('terminals: a computer has a limited number, and the host enough for all', async () => {
    await whileTaken('terminals', 2000, async (taken) => {
      assert.ok(taken <= terminalsPerComputer && taken > terminalsPerComputer - 20, `${taken}`)
      assert.equal(await inOther('terminals', 100), 100)
    })
  })

  test("neighbours: packets of a computer outside its routes create no entries in the host's neighbour table", async () => {
    const before = neighbours()
    await whileTaken('neighbours', 400, async () => {
      assert.ok(neighbours() < before + 50, `${before} entries, then ${neighbours()}`)
    })
  })

  test('links of computers do not answer ARP requests, and have no IPv6', () => {
    const links = readdirSync('/sys/class/net').filter((name) => name.startsWith(paths.interfacePrefix))
    assert.ok(links.length > 1)
    for (const link of links) {
      assert.ok(Number(readFileSync(`/sys/class/net/${link}/flags`, 'latin1')) & IFF_NOARP, link)
      const ipv6 = readFileSync('/proc/net/if_inet6', 'latin1')
      assert.ok(!ipv6.includes(link), ipv6)
    }
  })

  for (const kind of ['connections', 'datagrams'])
    test(`memory of ${kind} is limited`, async () => {
      const before = socketMemory()
      // 20 for each of six users: more than 900 MiB.
      await whileTaken(kind, 20, async () => {
        const bytes = socketMemory() - before
        assert.ok(bytes < 120 * MiB, `${Math.round(bytes / MiB)} MiB`)
      })
    })

  test('limits of the host are as high as computers need', () => {
    for (const { name, min } of hostLimits()) {
      const path = `/proc/sys/${name.replaceAll('.', '/')}`
      const value = Number(readFileSync(path, 'latin1'))
      assert.ok(value >= min || value === 0, `${name} is ${value}`)
    }
  })
})

function neighbours(): number {
  return Number.parseInt(readFileSync('/proc/net/stat/arp_cache', 'latin1').split('\n')[1]!, 16)
}

/** Returns the socket memory of TCP and UDP in all namespaces. */
function socketMemory(): number {
  const pages = [...readFileSync('/proc/net/sockstat', 'latin1').matchAll(/ mem (\d+)/g)].map(([, count]) =>
    Number(count),
  )
  return pages.reduce((sum, count) => sum + count, 0) * 4096
}

const IFF_NOARP = 0x80
