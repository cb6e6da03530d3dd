import type { BenchCase } from '../support/case.ts'
import { BenchServer } from '../support/server.ts'
import { summarize } from '../support/statistics.ts'

/**
 * A start of the server while computers of the previous server keep running, after a graceful stop and after a crash.
 */
export const restart: BenchCase = {
  name: 'restart',
  about: 'start with many running computers',
  async run({ computers, quick }) {
    const settings = { CARREL_WARM_COMPUTERS: '0', CARREL_IDLE_TIMEOUT_S: '3600' }
    const count = quick ? 30 : computers
    const empty: number[] = []
    const full: number[] = []
    for (let round = 0; round < 3; round++) {
      await using server = await BenchServer.start(settings)
      empty.push(server.readyMs)
    }
    let server = await BenchServer.start(settings)
    try {
      const sessions = Array.from({ length: count }, () => server.newSession())
      for (let from = 0; from < count; from += 4)
        await Promise.all(sessions.slice(from, from + 4).map((session) => server.execute(session)))
      for (let round = 0; round < (quick ? 2 : 6); round++) {
        await server.stop(round % 2 === 0 ? 'SIGTERM' : 'SIGKILL')
        server = await BenchServer.start(settings)
        full.push(server.readyMs)
        await server.execute(sessions[round]!)
      }
    } finally {
      await server.stop()
    }
    const carrel = summarize(full)
    return [
      {
        work: `start with ${count} running computers`,
        unit: 'ms',
        carrel,
        against: { name: 'with none', values: summarize(empty) },
        result: carrel.median / 1000,
        goal: { is: 'at most', value: 2, of: 's' },
        note: 'from the start of the process to the first answer of a first computer; every other time after a kill -9',
      },
    ]
  },
}
