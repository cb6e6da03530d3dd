import { setTimeout as delay } from 'node:timers/promises'
import { createWebSocketStream, WebSocket } from 'ws'
import { firstPicture } from '../../test/support/first-picture.ts'
import type { BenchCase } from '../support/case.ts'
import { createComputer, deleteComputer, post } from '../support/computers.ts'
import { timed } from '../support/interleave.ts'
import type { Outcome } from '../support/measurement.ts'
import { BenchServer } from '../support/server.ts'
import { summarize } from '../support/statistics.ts'

/** The desktop of a computer as the page opens it: over a WebSocket, until the wallpaper is there. */
export const desktop: BenchCase = {
  name: 'desktop',
  about: 'first picture of the desktop, cold and running, and what an idle computer holds (builds the image first)',
  async run({ quick }) {
    await using server = await BenchServer.start({
      CARREL_WARM_COMPUTERS: '0',
      CARREL_DESKTOP_IMAGE: 'desktop',
      CARREL_MEMORY_OVERCOMMIT: '100',
      CARREL_DISK_OVERCOMMIT: '100',
    })
    const cold: number[] = []
    const running: number[] = []
    const idle: number[] = []
    for (let round = quick ? 2 : 10; round > 0; round--) {
      const computer = await createComputer(server)
      idle.push(await heldMiB(server, computer))
      const look = await viewer(server, computer)
      cold.push(await timed(look))
      // The programs of the session, such as its panel, go on starting for a moment.
      await delay(settleMs)
      for (let again = 0; again < 3; again++) running.push(await timed(look))
      await deleteComputer(server, computer)
    }
    return [
      outcome('first picture of the desktop, cold', 'ms', cold, 2500),
      outcome('first picture of the desktop, running', 'ms', running, 300),
      outcome('idle computer of the image desktop', 'MiB', idle, 5),
    ]
  },
}

function outcome(work: string, unit: 'ms' | 'MiB', values: number[], max: number): Outcome {
  const carrel = summarize(values)
  return { work, unit, carrel, result: carrel.median, goal: { is: 'at most', value: max, of: unit } }
}

/** Returns a function that resolves when a new viewer has the wallpaper. */
async function viewer(server: BenchServer, computer: string): Promise<() => Promise<void>> {
  const { session } = (await post(server, `${computer}/access-sessions`, { kind: 'vnc' })) as {
    session: { computer_id: string; connect_token: string }
  }
  const headers = { host: pageHost(server, session.computer_id), authorization: `Bearer ${session.connect_token}` }
  return async () => {
    for (;;) {
      const socket = new WebSocket(`ws://${server.url.host}/api/desktop/socket`, ['binary'], { headers })
      const { pixels } = await firstPicture(createWebSocketStream(socket))
      socket.terminate()
      if (new Set(new Uint32Array(pixels.buffer, pixels.byteOffset, pixels.length / 4)).size > wallpaperColours) return
    }
  }
}

/** Returns the memory that a computer holds. */
async function heldMiB(server: BenchServer, computer: string): Promise<number> {
  const { session } = (await post(server, `${computer}/access-sessions`, { kind: 'browser' })) as {
    session: { computer_id: string; connect_token: string }
  }
  const { text } = await server.send('GET', '/api/gauges', undefined, {
    host: pageHost(server, session.computer_id),
    authorization: `Bearer ${session.connect_token}`,
  })
  return JSON.parse(text).memory.used_bytes / 2 ** 20
}

/** Returns the host of a computer's page. */
function pageHost(server: BenchServer, computerId: string): string {
  return `${computerId}.localhost:${server.url.port}`
}

/** An empty screen has one colour. */
const wallpaperColours = 1000
const settleMs = 1000
