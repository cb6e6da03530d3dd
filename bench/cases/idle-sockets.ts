import { setTimeout as delay } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import type { BenchCase } from '../support/case.ts'
import { proportionalBytes } from '../support/memory.ts'
import { BenchServer } from '../support/server.ts'
import { openSocket } from '../support/socket.ts'

const count = 1000
const KiB = 1024

/** Memory that the server needs for a WebSocket without traffic. */
export const idleSockets: BenchCase = {
  name: 'idle-sockets',
  about: `memory of an idle WebSocket, ${count} of them`,
  async run() {
    await using server = await BenchServer.start({ CARREL_WARM_COMPUTERS: '0' })
    await server.execute(server.newSession())
    // The first WebSockets allocate what all of them share.
    for (const socket of await openMany(server, 100)) socket.close()
    await delay(settleMs)
    const before = proportionalBytes(server.process.pid!)
    const sockets = await openMany(server, count)
    await delay(settleMs)
    const each = (proportionalBytes(server.process.pid!) - before) / count / KiB
    for (const socket of sockets) socket.close()
    return [
      {
        work: `memory of an idle WebSocket, ${count} of them`,
        unit: 'KiB',
        carrel: { count, median: each, p99: each },
        result: each,
        goal: { is: 'at most', value: 64, of: 'KiB' },
      },
    ]
  },
}

async function openMany(server: BenchServer, total: number): Promise<WebSocket[]> {
  const sockets: WebSocket[] = []
  while (sockets.length < total)
    sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => openSocket(server, '/ws')))))
  return sockets
}

const settleMs = 3000
