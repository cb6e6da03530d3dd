import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newSession, TestServer, until } from '../support/server.ts'

/**
 * Threads that always hold the kernel's lock of their memory, so that every reader of their environment has to wait.
 */
const mapLoop = `
import ctypes, socket, sys, threading, time
if len(sys.argv) > 1: server = socket.create_server(('127.0.0.1', int(sys.argv[1])))
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
def loop():
    while True:
        libc.munmap(libc.mmap(None, 1 << 19, 3, 0x8022, -1, 0), 1 << 19)
for _ in range(100): threading.Thread(target=loop, daemon=True).start()
open('/tmp/fight', 'a').write('x')
time.sleep(600)
`

describe("ending one tenant's programs", { timeout: 300_000 }, () => {
  let server: TestServer
  let other: string
  const neighbour = newSession()
  before(async () => {
    server = await TestServer.start({ env: { CARREL_COMPUTER_PIDS: '1024' } })
    other = await server.newAccount()
    await exec()
  })
  after(() => server.stop())

  /** Runs one command of another account. Returns how long it took, in milliseconds. */
  const exec = async () => {
    const begun = performance.now()
    const { status, body } = await server.post(
      '/execute',
      { code: 'true', language: 'shell', sessionId: neighbour },
      { token: other },
    )
    assert.deepEqual([status, body.result?.exitCode], [200, 0], JSON.stringify(body))
    return performance.now() - begun
  }

  /** How many times as long as usual the slowest of the neighbour's commands takes while something is done. */
  const slowdownDuring = async (work: () => Promise<unknown>) => {
    const usual: number[] = []
    while (usual.length < 10) usual.push(await exec())
    let isDone = false
    const done = work().finally(() => {
      isDone = true
    })
    const times: number[] = []
    while (!isDone || times.length < 10) times.push(await exec())
    await done
    return Math.max(...times) / Math.max(...usual, 100)
  }

  /** A monitor that waits for a guest costs seconds; two busy processors cost a neighbour far less. */
  const assertNoStall = (slowdown: number) => assert.ok(slowdown < 15, `a neighbour waited ${slowdown} times as long`)

  const start = async (sessionId: string, command: string) => {
    const { status, body } = await server.post('/process/start', { command, sessionId, timeout: 0 })
    assert.equal(status, 200, JSON.stringify(body))
    return body.processId as string
  }
  const running = async (sessionId: string): Promise<string[]> =>
    (await server.post('/process/list', { sessionId })).body.processes.flatMap(
      ({ status, processId }: { status: string; processId: string }) => (status === 'running' ? [processId] : []),
    )

  /** Starts four programs of a hundred contending threads each; returns their ids once they contend. */
  const fight = async (sessionId: string) => {
    await server.done('/files/write', { path: '/tmp/loop.py', content: mapLoop, sessionId })
    const ids = await Promise.all(Array.from({ length: 4 }, () => start(sessionId, 'exec python3 /tmp/loop.py')))
    await until(
      async () => (await server.post('/files/read', { path: '/tmp/fight', sessionId })).body.content,
      (content) => content === 'xxxx',
      60_000,
    )
    return ids
  }
  const endAll = async (sessionId: string, ids: string[]) => {
    await Promise.all(ids.map((processId) => server.done('/process/kill', { processId, sessionId, signal: 'SIGKILL' })))
    await until(
      () => running(sessionId),
      (left) => !left.some((id) => ids.includes(id)),
    )
  }

  test('does not delay other tenants when their threads contend for memory locks', async () => {
    const sessionId = newSession()
    const ids = await fight(sessionId)
    assertNoStall(await slowdownDuring(() => endAll(sessionId, ids)))
  })

  test('does not delay other tenants beside such programs, for a hundred at once or one by its time limit', async () => {
    const sessionId = newSession()
    const quiet = await Promise.all(Array.from({ length: 100 }, () => start(sessionId, 'while :; do sleep 5; done')))
    const fighters = await fight(sessionId)
    const slowdown = await slowdownDuring(async () => {
      const { body } = await server.post('/execute', { code: 'sleep 60', language: 'shell', timeout: 200, sessionId })
      assert.equal(body.result.reason, 'timeout')
      await endAll(sessionId, quiet)
      await endAll(sessionId, fighters)
    })
    assertNoStall(slowdown)
  })

  test('reaches processes that left their parents, session and environment', async () => {
    const sessionId = newSession()
    const { body } = await server.post('/execute', {
      code: '(setsid env -i /bin/sleep 987 </dev/null >/dev/null 2>&1 &); sleep 60',
      language: 'shell',
      timeout: 1_000,
      sessionId,
    })
    assert.equal(body.result.reason, 'timeout')
    assert.equal((await server.shell('pgrep -fc "sleep 98[7]" || true', { sessionId })).stdout, '0\n')
  })

  test('is not delayed by looking up the listeners of such a guest', async () => {
    const sessionId = newSession()
    await server.done('/files/write', { path: '/tmp/loop.py', content: mapLoop, sessionId })
    const slowdown = await slowdownDuring(async () => {
      const processId = await start(sessionId, 'exec python3 /tmp/loop.py 8123')
      await until(
        async () => (await server.post('/process/get', { processId, sessionId })).body,
        (body) => JSON.stringify(body).includes('8123'),
      )
      await server.done('/process/kill', { processId, sessionId, signal: 'SIGKILL' })
    })
    assertNoStall(slowdown)
  })
})
