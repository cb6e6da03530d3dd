import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { monitorPid } from '../faults/host-traces.ts'
import { newSession, TestServer } from '../support/server.ts'

/** Limits the descriptors of a program; returns a function that undoes it. */
function limitDescriptors(pid: number, count: number): () => void {
  const [, soft, hard] = /^Max open files +(\d+) +(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))!
  const set = (limit: string) => execFileSync('prlimit', ['--pid', String(pid), `--nofile=${limit}`])
  set(`${count}:${hard}`)
  return () => void set(`${soft}:${hard}`)
}

/** Returns the limit below which `free` numbers are unused: a new descriptor gets the lowest of them. */
function limitWithFree(pid: number, free: number): number {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number))
  let limit = 0
  for (let left = free; left > 0 || open.has(limit); limit++) if (!open.has(limit)) left--
  return limit
}

describe('when the descriptors of a program are used up', { timeout: 300_000 }, () => {
  let server: TestServer
  const sessionId = newSession()

  before(async () => {
    server = await TestServer.start()
    await server.shell('echo x > file; seq 100000 > large', { sessionId })
  })
  after(() => server.stop())

  /** Returns the response while a program may open only `free` more descriptors: 200 or a retryable refusal. */
  const withLeft = async (pid: number, left: number, ask: () => ReturnType<TestServer['post']>) => {
    const restore = limitDescriptors(pid, limitWithFree(pid, left))
    try {
      const answer = await ask().catch((error: Error) => error.cause as Error)
      // The last descriptor went to another connection: the server closes one that it cannot accept, and clients retry.
      if (answer instanceof Error) return (assert.match(answer.message, /other side closed|ECONNRESET/), 'CLOSED')
      const { status, body, headers } = answer
      const code = status === 200 ? 'OK' : body.code
      assert.ok(status === 200 || code === 'NO_CAPACITY', `${status} ${JSON.stringify(body)}`)
      if (status !== 200) assert.deepEqual([status, body.retryable, headers.get('retry-after')], [503, true, '2'])
      return code
    } finally {
      restore()
    }
  }

  const requests: Record<string, () => ReturnType<TestServer['post']>> = {
    'a new sandbox': () => server.post('/execute', { code: 'true', language: 'shell', sessionId: newSession() }),
    'a command': () => server.post('/execute', { code: 'cat large', language: 'shell', sessionId }),
    'a file': () => server.post('/files/read', { path: 'file', sessionId }),
    'a list of files': () => server.post('/files/list', { path: '.', sessionId }),
    'a file that is written': () => server.post('/files/write', { path: 'new', content: 'x', sessionId }),
  }
  for (const [what, ask] of Object.entries(requests))
    test(`of the server, ${what} succeeds or is refused for lack of capacity, and succeeds again later`, async () => {
      const codes: string[] = []
      // One is for the connection itself; another connection that closes at the same moment frees one more.
      for (let round = 0; round < 10 && !codes.includes('NO_CAPACITY'); round++)
        for (const left of [1, 2, 3, 5, 8]) codes.push(await withLeft(server.process.pid!, left, ask))
      assert.ok(codes.includes('NO_CAPACITY'), codes.join(' '))
      assert.equal((await ask()).status, 200)
    })

  test('of the monitor, a command is refused for lack of capacity, and succeeds again later', async () => {
    const codes = []
    for (const left of [0, 1, 2, 3, 5]) codes.push(await withLeft(monitorPid(), left, requests['a command']!))
    assert.ok(codes.includes('NO_CAPACITY'), codes.join(' '))
    assert.equal((await requests['a command']!()).status, 200)
  })
})
