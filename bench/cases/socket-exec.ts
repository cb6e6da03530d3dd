import { once } from 'node:events'
import type { WebSocket } from 'ws'
import { BareRuntime } from '../bare/bare-runtime.ts'
import type { BenchCase } from '../support/case.ts'
import { inARow, interleave } from '../support/interleave.ts'
import { ratio } from '../support/measurement.ts'
import { BenchServer } from '../support/server.ts'
import { command } from '../support/settings.ts'
import { openSocket } from '../support/socket.ts'

const row = 10

/** A command on a running computer, requested and answered over an open WebSocket. */
export const socketExec: BenchCase = {
  name: 'socket-exec',
  about: 'exec round trip over an open WebSocket (/ws)',
  async run({ quick }) {
    await using server = await BenchServer.start({ CARREL_WARM_COMPUTERS: '0' })
    await using bare = await BareRuntime.open()
    const socket = await openSocket(server, '/ws')
    const sessionId = server.newSession()
    const measured = await interleave(
      {
        carrel: () => inARow(row, () => roundTrip(socket, sessionId)),
        bare: () => inARow(row, () => bare.exec()),
      },
      { rounds: quick ? 4 : 40, warmUp: 2 },
    )
    socket.close()
    return [
      {
        work: 'exec over an open WebSocket',
        unit: 'ms',
        carrel: measured.carrel,
        against: { name: 'crun exec', values: measured.bare },
        result: ratio(measured.carrel, measured.bare),
        goal: { is: 'at most', value: 1.3, of: '× crun exec' },
      },
    ]
  },
}

async function roundTrip(socket: WebSocket, sessionId: string): Promise<number> {
  const started = performance.now()
  socket.send(JSON.stringify({ type: 'exec', id: 1, command: command.code, sessionId }))
  const [data] = (await once(socket, 'message')) as [Buffer]
  const took = performance.now() - started
  const { data: answer } = JSON.parse(data.toString()) as { data: { result?: { stdout: string } } }
  if (answer.result?.stdout !== command.stdout) throw new Error(`exec answered ${data.toString()}`)
  return took
}
