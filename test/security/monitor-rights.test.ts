import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { monitorPid } from '../faults/host-traces.ts'
import { newSession, TestServer } from '../support/server.ts'

/**
 * Capabilities to load code into the kernel, to control hardware, clocks, the host's network or audit, or to read
 * kernel memory.
 */
const forbidden = {
  NET_ADMIN: 12,
  SYS_MODULE: 16,
  SYS_RAWIO: 17,
  SYS_BOOT: 22,
  SYS_TIME: 25,
  AUDIT_CONTROL: 30,
  MAC_OVERRIDE: 32,
  MAC_ADMIN: 33,
  SYSLOG: 34,
  PERFMON: 38,
  BPF: 39,
}

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

test('the monitor and its programs are root without the capabilities that they do not need', async () => {
  await server.shell('true', { sessionId: newSession() })
  const pid = monitorPid()
  const threads = readdirSync(`/proc/${pid}/task`)
  assert.ok(threads.length > 1)
  for (const thread of threads) {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1')
    for (const set of ['CapPrm', 'CapEff', 'CapBnd', 'CapInh', 'CapAmb']) {
      const bits = BigInt(`0x${new RegExp(`^${set}:\\t(\\w+)$`, 'm').exec(status)![1]}`)
      for (const [name, bit] of Object.entries(forbidden))
        assert.equal((bits >> BigInt(bit)) & 1n, 0n, `${set} ${name}`)
    }
  }
})
