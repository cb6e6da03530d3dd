import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test, type TestContext } from 'node:test'
import { limits } from '../../../config/limits.ts'
import { MonitorClient, MonitorSilence } from './monitor-client.ts'
import { onLines } from '../monitor/lines.ts'
import type { Request, StartRequest } from '../monitor/protocol.ts'

mock.timers.enable({ apis: ['setInterval', 'Date'] })

type Asked = Request & { seq: number }

/** A client of a monitor that the test controls, with a mocked clock. */
async function connected(t: TestContext, onAsked: (asked: Asked, socket: Socket) => void) {
  const directory = mkdtempSync(join(tmpdir(), 'carrel-client-'))
  const path = join(directory, 'monitor.sock')
  const monitor = createServer((socket) => onLines(socket, (message) => onAsked(message as Asked, socket)))
  await once(monitor.listen(path), 'listening')
  const silences: boolean[] = []
  const client = (await MonitorClient.connect(path, {
    onEvent: () => {},
    onLost: () => {},
    onSilence: ({ isSilent }) => silences.push(isSilent),
  }))!
  t.after(() => {
    client.close()
    monitor.close()
    rmSync(directory, { recursive: true })
  })
  return { client, silences }
}

function answer(socket: Socket, { seq }: Asked, ok: unknown): void {
  socket.write(`${JSON.stringify({ seq, ok })}\n`)
}

const start = { op: 'start', process: {} as StartRequest } as const

/** Advances the clock by a second, and lets pending events happen. */
async function seconds(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    mock.timers.tick(1000)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

test('a monitor that answers pings may take any time for a request', async (t) => {
  let asked: (() => void) | undefined
  const { client, silences } = await connected(t, (request, socket) => {
    if (request.op === 'hello') answer(socket, request, null)
    else asked = () => answer(socket, request, { pid: 7 })
  })
  const started = client.request(start)
  await seconds(60)
  asked!()
  assert.deepEqual(await started, { pid: 7 })
  assert.deepEqual(silences, [])
})

test('requests to a silent monitor are abandoned, their late outcome is reported, and the monitor is used again', async (t) => {
  const held: (() => void)[] = []
  const { client, silences } = await connected(t, (request, socket) => {
    held.push(() => answer(socket, request, { pid: 7 }))
  })
  const late: unknown[] = []
  const started = client.request(start, { late: (value) => late.push(value) })
  const given = assert.rejects(started, (error) => error instanceof MonitorSilence && error.wasSent)
  await seconds(limits.monitorSilentPings + 1)
  assert.equal(client.isSilent, true)
  await assert.rejects(client.request(start), (error) => error instanceof MonitorSilence && !error.wasSent)
  await seconds(limits.monitorTimeoutMs / 1000)
  await given
  assert.deepEqual(late, [])
  for (const tell of held.splice(0)) tell()
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.deepEqual([late, client.isSilent, silences.at(-1)], [[{ pid: 7 }], false, false])
  const again = client.request(start)
  await new Promise((resolve) => setTimeout(resolve, 20))
  held[0]!()
  assert.deepEqual(await again, { pid: 7 })
})
