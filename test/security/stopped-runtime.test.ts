import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { settles } from '../support/settles.ts'
import { computerRow } from '../faults/host-traces.ts'
import { newSession, TestServer, until } from '../support/server.ts'

/** A program that signals every new process of its computer: during each start, the runtime briefly is one. */
const ambush = (signal: number) => `
import os, time
known = set(os.listdir('/proc'))
end = time.time() + 8
while time.time() < end:
    for pid in os.listdir('/proc'):
        if pid in known or not pid.isdigit(): continue
        try: os.kill(int(pid), ${signal})
        except OSError: pass
`

describe('a guest that waits for the runtime', { timeout: 300_000 }, () => {
  let server: TestServer
  before(async () => {
    server = await TestServer.start()
  })
  after(() => server.stop())

  const lieInWait = async (sessionId: string, signal: number) => {
    await server.done('/files/write', { path: '/tmp/ambush.py', content: ambush(signal), sessionId })
    const { processId } = await server.done('/process/start', {
      command: 'exec sudo python3 /tmp/ambush.py',
      sessionId,
      timeout: 0,
    })
    await until(
      async () => (await server.post('/process/get', { processId, sessionId })).body.process.status,
      (status) => status === 'running',
    )
  }

  for (const [doing, signal] of [
    ['stops it', 19],
    ['kills it', 9],
  ] as const)
    test(`and ${doing} makes no start hang, delays no other sandbox, and leaves no runtime`, async () => {
      const [sessionId, other] = [newSession(), newSession()]
      await server.shell('true', { sessionId: other })
      await lieInWait(sessionId, signal)
      const starts = Array.from({ length: 12 }, () =>
        server.post('/execute', { code: 'true', language: 'shell', timeout: 2_000, sessionId }),
      )
      for (const { status, body } of await settles(Promise.all(starts), 'an answer')) {
        assert.ok(status === 200 || status === 503, `${status} ${JSON.stringify(body)}`)
        assert.doesNotMatch(JSON.stringify(body), /\/(run|sys)\//)
      }
      assert.equal((await settles(server.shell('echo on', { sessionId: other }), 'another sandbox')).stdout, 'on\n')
      const again = () => server.post('/execute', { code: 'echo on', language: 'shell', timeout: 5_000, sessionId })
      await until(again, ({ status, body }) => status === 200 && body.result.stdout === 'on\n', 40_000)
      const { id } = (await computerRow(sessionId))!
      await until(
        () => runtimesOf(id),
        (left) => left.length === 0,
      )
    })
})

/** Returns the host ids of the runtimes that work on a computer. */
function runtimesOf(computerId: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')
      return words.includes('exec') && words.includes(computerId)
    } catch {
      return false
    }
  })
}
