import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { newSession, TestServer } from '../support/server.ts'

describe("a program's empty stdin", { timeout: 300_000 }, () => {
  let server: TestServer
  const sessionId = newSession()
  const hostNull = () => {
    const { uid, gid, mode, ino, dev } = statSync('/dev/null')
    return { uid, gid, mode: (mode & 0o7777).toString(8), id: `${dev}:${ino}` }
  }
  before(async () => {
    server = await TestServer.start()
  })
  after(() => server.stop())

  const shell = async (code: string, more: Record<string, unknown> = {}) =>
    (await server.shell(code, { sessionId, ...more })).stdout as string

  test('is a null device, so that programs that check for a pipe find none', async () => {
    assert.equal(
      await shell('stat -L -c "%F %t:%T" /proc/self/fd/0; wc -c; echo x >/proc/self/fd/0 && echo taken'),
      'character special file 1:3\n0\ntaken\n',
    )
  })

  test("is not the host's: changes by a program affect neither the host nor other processes", async () => {
    const before = hostNull()
    assert.deepEqual([before.uid, before.gid, before.mode], [0, 0, '666'])
    const mine = await shell('stat -L -c "%d:%i" /proc/self/fd/0')
    assert.match(mine, /^\d+:\d+\n$/)
    assert.notEqual(mine.trim(), before.id)
    for (const user of ['chmod 600', 'chown root', 'sudo chown root'])
      await server.post('/execute', { code: `${user} /proc/self/fd/0`, language: 'shell', sessionId })
    assert.deepEqual(hostNull(), before)
    const own = newSession()
    assert.equal((await server.shell('stat -L -c %a /proc/self/fd/0', { sessionId: own })).stdout, '666\n')
  })

  test('carries no information between programs: flags belong to one open file', async () => {
    const flags = `python3 -c '
import fcntl, os
had = fcntl.fcntl(0, fcntl.F_GETFL)
fcntl.fcntl(0, fcntl.F_SETFL, had | os.O_NONBLOCK | os.O_APPEND)
print(had & (os.O_NONBLOCK | os.O_APPEND))
'`
    assert.deepEqual([await shell(flags), await shell(flags)], ['0\n', '0\n'])
  })
})
