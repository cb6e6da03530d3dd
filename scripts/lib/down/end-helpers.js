import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { endProcesses } from './end-processes.js'

/** Time for the monitor to record how the last processes ended. */
const settleMs = 500

/** Ends the monitor and lxcfs, which outlive the server. @param {import('./data-directory.js').DataDirectory} data */
export async function endHelpers(data) {
  const monitors = () => data.holders(join(data.path, 'monitor.log'))
  if (monitors().length > 0) await delay(settleMs)
  await endProcesses(monitors, { what: 'the monitor', graceMs: 2_000 })
  await endProcesses(() => data.startedWith(data.lxcfs), { what: 'lxcfs', graceMs: 2_000 })
}
