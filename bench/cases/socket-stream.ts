import { readFileSync } from 'node:fs'
import type { WebSocket } from 'ws'
import type { BenchCase } from '../support/case.ts'
import { inARow } from '../support/interleave.ts'
import { BenchServer } from '../support/server.ts'
import { openSocket } from '../support/socket.ts'
import { summarize } from '../support/statistics.ts'

const GiB = 1024 ** 3
const MiB = 1024 ** 2
const sampleMs = 50

/** A program that prints lines of text and does little else. */
const printer = `exec python3 -c "
import os
block = b'all work and no play makes a dull line of sixty-four characters\\\\n' * 1024
for _ in range(${GiB} // len(block)): os.write(1, block)"`

/** Stdout of a program, every byte of it, to a client that reads as fast as it can. */
export const socketStream: BenchCase = {
  name: 'socket-stream',
  about: '1 GiB of stdout over a WebSocket, as raw bytes (/v1/exec) and as text in JSON (/ws)',
  async run({ quick }) {
    await using server = await BenchServer.start({ CARREL_WARM_COMPUTERS: '0' })
    const sessionId = server.newSession()
    await server.execute(sessionId)
    const rounds = quick ? 1 : 5
    const outcomes = []
    for (const [work, path, read] of [
      ['raw bytes (/v1/exec)', '/v1/exec', readBytes],
      ['text in JSON (/ws)', '/ws', readText],
    ] as const) {
      const before = residentBytes(server)
      let maxBytes = 0
      const sampling = setInterval(() => (maxBytes = Math.max(maxBytes, residentBytes(server))), sampleMs)
      const values = await inARow(rounds, async () => {
        const socket = await openSocket(server, path)
        return read(socket, sessionId)
      })
      clearInterval(sampling)
      const carrel = summarize(values)
      outcomes.push({
        work: `1 GiB of stdout, ${work}`,
        unit: 'MB/s' as const,
        carrel,
        result: carrel.median,
        goal: { is: 'at least' as const, value: 200, of: 'MB/s' },
        note: `the server's memory grew by at most ${Math.max(0, (maxBytes - before) / MiB).toFixed(0)} MiB`,
      })
    }
    return outcomes
  },
}

/** Returns megabytes per second, from the first byte to the last. */
function readBytes(socket: WebSocket, sessionId: string): Promise<number> {
  return receive(socket, { type: 'start', argv: ['bash', '-c', printer], sessionId }, (data, isBinary) =>
    isBinary ? data.length - 1 : isExit(data, 'exit') ? 'over' : 0,
  )
}

function readText(socket: WebSocket, sessionId: string): Promise<number> {
  const request = { type: 'exec', id: 1, command: printer, stream: true, timeout: 0, sessionId }
  return receive(socket, request, (data) => {
    if (isExit(data, 'exec_result')) return 'over'
    const { type, data: fields } = JSON.parse(data.toString()) as { type: string; data: { text?: string } }
    return type === 'stdout' ? fields.text!.length : 0
  })
}

function receive(
  socket: WebSocket,
  request: object,
  bytesOf: (data: Buffer, isBinary: boolean) => number | 'over',
): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0
    let first: number | undefined
    socket.on('message', (data: Buffer, isBinary) => {
      const found = bytesOf(data, isBinary)
      if (found !== 'over') {
        if (found > 0) first ??= performance.now()
        return void (bytes += found)
      }
      const seconds = (performance.now() - first!) / 1000
      socket.close()
      if (bytes === GiB) resolve(bytes / 1e6 / seconds)
      else reject(new Error(`${bytes} bytes arrived, ${GiB} were printed`))
    })
    socket.on('error', reject)
    socket.send(JSON.stringify(request))
  })
}

function isExit(data: Buffer, type: string): boolean {
  return data.length < 1000 && (JSON.parse(data.toString()) as { type: string }).type === type
}

function residentBytes(server: BenchServer): number {
  const status = readFileSync(`/proc/${server.process.pid}/status`, 'latin1')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024
}
