import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Carrel, CarrelOperationError, CarrelTimeoutError } from '../index.ts'
import type { ComputerOperation, Computers } from '../index.ts'

interface Request {
  method: string
  path: string
  body: unknown
  key: string | null
}

/** Computers of a server that answers with these objects, one after the other, and what it was asked. */
function computersOf(...answers: (object | undefined)[]): { computers: Computers; requests: Request[] } {
  const requests: Request[] = []
  const fetch = async (url: string, init: RequestInit) => {
    init.signal?.throwIfAborted()
    const { method = '', body } = init
    const key = new Headers(init.headers).get('idempotency-key')
    requests.push({
      method,
      path: new URL(url).pathname,
      body: typeof body === 'string' ? JSON.parse(body) : undefined,
      key,
    })
    if (answers[0] instanceof Error) throw answers.shift()
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    return answer === undefined ? new Response(null, { status: 204 }) : Response.json(answer)
  }
  const carrel = new Carrel({ baseUrl: 'http://carrel.test', token: 't', fetch: fetch as typeof globalThis.fetch })
  return { computers: carrel.computers, requests }
}

const operation: ComputerOperation = {
  id: 'op',
  kind: 'computer.resize',
  status: 'running',
  progress: 0,
  resource_id: 'c',
  error_message: null,
}
const size = { sizePreset: 'custom', memoryMib: 6144, storageBytes: 20 }
const sizeFields = { size_preset: 'custom', requested_memory_mib: 6144, requested_storage_bytes: 20 }
const names = { handle: 'copy', displayName: 'Copy' }
const nameFields = { handle: 'copy', display_name: 'Copy' }

/** What each method sends, and the part of the answer that it returns. */
const calls: [
  what: string,
  call: (computers: Computers) => Promise<unknown>,
  request: [method: string, path: string, body?: object],
  isKeyed: boolean,
  answer: object | undefined,
  returned?: unknown,
][] = [
  ['resize', (c) => c.resize('a b', size), ['POST', '/computers/a%20b/actions/resize', sizeFields], true, { x: 1 }],
  [
    'fork',
    (c) => c.fork('c', { count: 3, ...names, ...size }),
    ['POST', '/computers/c/fork', { count: 3, ...nameFields, ...sizeFields }],
    true,
    { computers: [], operation },
  ],
  [
    'restoreInPlace',
    (c) => c.restoreInPlace('c', 's'),
    ['POST', '/computers/c/actions/restore', { snapshot_id: 's' }],
    true,
    { x: 1 },
  ],
  [
    'transfer',
    (c) => c.transfer('c', 'w'),
    ['POST', '/computers/c/actions/transfer', { target_org_id: 'w' }],
    false,
    { computer: 1 },
    1,
  ],
  [
    'capacity',
    (c) => c.capacity({ computer: 'c', ...size }),
    ['POST', '/computer-capacity/check', { computer_id: 'c', ...sizeFields }],
    false,
    { available: true },
  ],
  ['snapshots.list', (c) => c.snapshots.list('c'), ['GET', '/computers/c/snapshots'], false, { snapshots: [1] }, [1]],
  ['snapshots.list of all', (c) => c.snapshots.list(), ['GET', '/snapshots'], false, { snapshots: [1] }, [1]],
  ['snapshots.get', (c) => c.snapshots.get('s'), ['GET', '/snapshots/s'], false, { snapshot: 1 }, 1],
  ['snapshots.create', (c) => c.snapshots.create('c'), ['POST', '/computers/c/snapshots', {}], true, { x: 1 }],
  ['snapshots.delete', (c) => c.snapshots.delete('s'), ['DELETE', '/snapshots/s'], false, { x: 1 }],
  [
    'snapshots.restore',
    (c) => c.snapshots.restore('s', { ...names, ...size, authorizedKeys: ['k'] }),
    ['POST', '/snapshots/s/restore', { ...nameFields, ...sizeFields, guest: { authorized_keys: ['k'] } }],
    true,
    { x: 1 },
  ],
  ['ports.list', (c) => c.ports.list('c'), ['GET', '/computers/c/ports'], false, { ports: [1] }, [1]],
  [
    'ports.publish',
    (c) => c.ports.publish('c', 80, { name: 'web', visibility: 'private' }),
    ['POST', '/computers/c/ports', { port: 80, name: 'web', visibility: 'private' }],
    false,
    { port: 1 },
    1,
  ],
  ['ports.withdraw', (c) => c.ports.withdraw('c', 80), ['DELETE', '/computers/c/ports/80'], false, { port: 1 }, 1],
  ['shares.list', (c) => c.shares.list('c'), ['GET', '/computers/c/shares'], false, { shares: [1] }, [1]],
  [
    'shares.create',
    (c) => c.shares.create('c', { allowVnc: true, expiresAt: new Date(0) }),
    ['POST', '/computers/c/shares/links', { allow_vnc: true, expires_at: '1970-01-01T00:00:00.000Z' }],
    false,
    { share: 1 },
    1,
  ],
  ['shares.delete', (c) => c.shares.delete('c', 's'), ['DELETE', '/computers/c/shares/links/s'], false, undefined],
  [
    'accessSessions.create',
    (c) => c.accessSessions.create('c', { kind: 'vnc', ttlSeconds: 60 }),
    ['POST', '/computers/c/access-sessions', { kind: 'vnc', ttl_seconds: 60 }],
    false,
    { session: 1 },
    1,
  ],
  [
    'accessSessions.get',
    (c) => c.accessSessions.get('c', 's'),
    ['GET', '/computers/c/access-sessions/s'],
    false,
    { session: 1 },
    1,
  ],
  [
    'accessSessions.revoke',
    (c) => c.accessSessions.revoke('c', 's'),
    ['DELETE', '/computers/c/access-sessions/s'],
    false,
    undefined,
  ],
]

for (const [what, call, [method, path, body], isKeyed, answer, returned = answer] of calls)
  test(`computers.${what} sends the request of its route`, async () => {
    const { computers, requests } = computersOf(answer)
    assert.deepEqual(await call(computers), returned)
    const [{ key, ...request } = { key: null }, ...more] = requests
    assert.deepEqual(request, { method, path: `/v1${path}`, body })
    assert.equal(key !== null, isKeyed)
    assert.deepEqual(more, [])
  })

test('waitFor() shows each state of an operation, and returns its end', async () => {
  const half = { ...operation, progress: 0.5 }
  const done = { ...operation, status: 'succeeded' as const }
  const { computers, requests } = computersOf({ operation: half }, { operation: done })
  const seen: number[] = []
  assert.deepEqual(await computers.waitFor(operation, { onProgress: ({ progress }) => seen.push(progress) }), done)
  assert.deepEqual(seen, [0, 0.5])
  assert.deepEqual(
    requests.map(({ path }) => path),
    ['/v1/operations/op', '/v1/operations/op'],
  )
})

test('waitFor() goes on while the server restarts', async () => {
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
  const done = { ...operation, status: 'succeeded' as const }
  const { computers, requests } = computersOf(refused, { operation: done })
  assert.deepEqual(await computers.waitFor(operation), done)
  assert.equal(requests.length, 2)
})

test('waitFor() rejects with the reason of a failure, at its time limit, and when its signal aborts', async () => {
  const failed = { ...operation, status: 'failed' as const, error_message: 'No room is left' }
  await assert.rejects(computersOf().computers.waitFor(failed), (error) => {
    assert.ok(error instanceof CarrelOperationError)
    assert.deepEqual([error.message, error.kind], ['No room is left', 'computer.resize'])
    return true
  })
  const { computers } = computersOf({ operation })
  await assert.rejects(computers.waitFor(operation, { timeoutMs: 1 }), CarrelTimeoutError)
  const given = new AbortController()
  const onProgress = () => given.abort(new Error('Enough'))
  await assert.rejects(computers.waitFor(operation, { signal: given.signal, onProgress }), /Enough/)
})
