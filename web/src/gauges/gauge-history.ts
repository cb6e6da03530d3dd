import type { Gauges } from '../api/computer.ts'

/** One line of the header: what is used now, and the shares of the last minutes. */
export interface Gauge {
  share: number
  /** From 0 to 1, oldest first. */
  history: readonly number[]
}

export interface GaugeHistory {
  last: Gauges | undefined
  memory: Gauge
  disk: Gauge
  cpu: Gauge
}

/** At one sample in three seconds: three minutes. */
const maxSamples = 60

const none: Gauge = { share: 0, history: [] }
export const emptyHistory: GaugeHistory = { last: undefined, memory: none, disk: none, cpu: none }

/** Returns the history with one more measurement. The use of the processors is the difference to the one before. */
export function withMeasurement(before: GaugeHistory, now: Gauges): GaugeHistory {
  const { last } = before
  if (last?.measured_at === now.measured_at) return before
  const cpuShare = last && cpuShareBetween(last, now)
  return {
    last: now,
    memory: added(before.memory, shareOf(now.memory)),
    disk: added(before.disk, shareOf(now.disk)),
    cpu: added(before.cpu, cpuShare),
  }
}

function added(before: Gauge, share: number | undefined): Gauge {
  if (share === undefined) return before
  const { history } = before
  return { share, history: [...history, share].slice(-maxSamples) }
}

function shareOf({ used_bytes: used, limit_bytes: limit }: Gauges['memory']): number | undefined {
  return used !== null && limit > 0 ? Math.min(1, used / limit) : undefined
}

/** Returns undefined where the counter restarted, as it does with the computer. */
function cpuShareBetween(before: Gauges, now: Gauges): number | undefined {
  const passedS = (Date.parse(now.measured_at) - Date.parse(before.measured_at)) / 1000
  const usedS = now.cpu.used_seconds - before.cpu.used_seconds
  if (!(passedS > 0) || usedS < 0 || now.cpu.vcpus <= 0) return undefined
  return Math.min(1, usedS / passedS / now.cpu.vcpus)
}
