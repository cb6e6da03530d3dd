import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, test } from 'node:test'
import { Backoff } from '../api/backoff.ts'
import { TerminalSocket, type TerminalEnd } from './terminal-socket.ts'

/** A WebSocket in the hands of a test, which plays the server. */
class TestChannel extends EventTarget {
  binaryType = ''
  readyState = 1
  sent: (string | Uint8Array)[] = []
  readonly after: number

  constructor(after: number) {
    super()
    this.after = after
  }

  send(data: string | Uint8Array) {
    this.sent.push(data)
  }

  close() {
    this.readyState = 3
  }

  says(message: object) {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }))
  }

  prints(text: string) {
    this.dispatchEvent(new MessageEvent('message', { data: new TextEncoder().encode(text).buffer }))
  }

  breaks(code = 1006, reason = '') {
    this.readyState = 3
    this.dispatchEvent(Object.assign(new Event('close'), { code, reason }))
  }
}

let channels: TestChannel[] = []
let seen: string[] = []

function connect({ hasPast = false, exists = true, mayReconnect = true } = {}) {
  const socket: TerminalSocket = new TerminalSocket({
    open: (after) => {
      const channel = new TestChannel(after)
      channels.push(channel)
      return channel
    },
    mayReconnect: () => mayReconnect,
    exists: () => Promise.resolve(exists),
    size: { cols: 80, rows: 24 },
    hasPast,
    backoff: new Backoff({ firstMs: 100 }),
    listener: {
      onState: (state) => seen.push(state),
      onOutput: (bytes, replayed) => seen.push(`${replayed ? 'replayed ' : ''}${bytes.length} bytes`),
      onGap: () => seen.push('gap'),
      onEnd: ({ code, signal }: TerminalEnd) => seen.push(`end ${code} ${signal}`),
      onError: (message) => seen.push(message),
    },
  })
  return socket
}

/** Lets time pass, and the promises settle that it resolved. */
async function pass(ms: number) {
  mock.timers.tick(ms)
  await new Promise<void>((resolve) => setImmediate(resolve))
}

beforeEach(() => {
  channels = []
  seen = []
  mock.timers.enable({ apis: ['setTimeout'] })
})
afterEach(() => mock.timers.reset())

test('a connection that breaks goes on where the output ended', async () => {
  connect()
  channels[0]!.says({ type: 'ready', offset: 0, end: 0 })
  channels[0]!.prints('12345')
  channels[0]!.breaks()
  await pass(100)
  assert.equal(channels[1]!.after, 5)
  channels[1]!.says({ type: 'ready', offset: 5, end: 5 })
  channels[1]!.prints('6')
  assert.deepEqual(seen, ['open', '5 bytes', 'waiting', 'connecting', 'open', '1 bytes'])
})

test('each failure in a row doubles the waiting time, and retryNow() ends it', async () => {
  const socket = connect()
  channels[0]!.breaks()
  await pass(100)
  channels[1]!.breaks()
  await pass(140)
  assert.equal(channels.length, 2)
  socket.retryNow()
  await pass(0)
  assert.equal(channels.length, 3)
})

test('a terminal that is gone ends instead of being tried for ever', async () => {
  connect({ exists: false })
  channels[0]!.breaks(1011)
  await pass(100)
  await pass(10_000)
  assert.deepEqual([channels.length, seen.at(-1)], [1, 'end null null'])
})

test('a session that is over is not tried again', async () => {
  connect({ mayReconnect: false })
  channels[0]!.says({ type: 'ready', offset: 0, end: 0 })
  channels[0]!.breaks(4401)
  await pass(10_000)
  assert.deepEqual([channels.length, seen.at(-1)], [1, 'ended'])
})

test('output that the server has dropped meanwhile is a gap, but not what came before the page', () => {
  connect({ hasPast: true })
  channels[0]!.says({ type: 'ready', offset: 7000, end: 7000 })
  assert.ok(!seen.includes('gap'))
  channels[0]!.breaks()
  mock.timers.tick(100)
  channels[1]!.says({ type: 'ready', offset: 9000, end: 9000 })
  assert.ok(seen.includes('gap'))
})

test('output from before the page is replayed, up to the end that the server names', () => {
  connect({ hasPast: true })
  channels[0]!.says({ type: 'ready', offset: 10, end: 13 })
  channels[0]!.prints('old')
  channels[0]!.prints('new!')
  assert.deepEqual(seen, ['open', 'replayed 3 bytes', '4 bytes'])
})

test('a page that draws too slowly lets the output wait at the server', () => {
  const socket = connect()
  channels[0]!.says({ type: 'ready', offset: 0, end: 0 })
  const piece = 'x'.repeat(1024 * 1024)
  for (let at = 0; at < 9; at += 1) channels[0]!.prints(piece)
  assert.deepEqual([channels[0]!.readyState, seen.at(-1)], [3, 'waiting'])
  for (let at = 0; at < 7; at += 1) socket.drawn(piece.length)
  assert.equal(channels.length, 1)
  socket.drawn(piece.length)
  assert.equal(channels[1]!.after, 9 * piece.length)
})

test('input goes in pieces that a frame may have, and none is kept for a later connection', async () => {
  const socket = connect()
  socket.send('too early')
  channels[0]!.says({ type: 'ready', offset: 0, end: 0 })
  socket.send('é'.repeat(20_000))
  const [resize, ...pieces] = channels[0]!.sent
  assert.deepEqual(JSON.parse(String(resize)), { type: 'resize', cols: 80, rows: 24 })
  assert.deepEqual(
    pieces.map(({ length }) => length),
    [16_384, 16_384, 7232],
  )
  channels[0]!.breaks()
  socket.send('lost')
  await pass(100)
  channels[1]!.says({ type: 'ready', offset: 0, end: 0 })
  assert.equal(channels[1]!.sent.length, 1)
})

test('the end of the program ends the connection', async () => {
  connect()
  channels[0]!.says({ type: 'ready', offset: 0, end: 0 })
  channels[0]!.says({ type: 'exit', code: 3, signal: null })
  channels[0]!.breaks(1000)
  await pass(10_000)
  assert.deepEqual(seen, ['open', 'ended', 'end 3 null'])
  assert.equal(channels.length, 1)
})
