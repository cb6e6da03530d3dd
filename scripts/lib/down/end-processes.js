import { setTimeout as delay } from 'node:timers/promises'
import { SetupFailure } from '../setup-failure.js'

/**
 * Ends processes with SIGTERM, and with SIGKILL after `graceMs`. Throws if some survive even that.
 * @param {() => number[]} find returns the remaining processes
 * @param {{ what: string, graceMs: number }} options
 */
export async function endProcesses(find, { what, graceMs }) {
  const started = Date.now()
  for (let pids = find(), signalled = new Set(); pids.length > 0; pids = find()) {
    const over = Date.now() - started
    for (const pid of pids) {
      if (over >= graceMs) signal(pid, 'SIGKILL')
      else if (!signalled.has(pid)) signal(pid, 'SIGTERM')
      signalled.add(pid)
    }
    if (over > graceMs + killMs) {
      throw new SetupFailure(
        `Cannot end ${what} (process ${pids.join(', ')}): even SIGKILL has no effect; restart this machine.`,
      )
    }
    await delay(pollMs)
  }
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals} name
 */
function signal(pid, name) {
  try {
    process.kill(pid, name)
  } catch {
    // The process has already ended.
  }
}

const pollMs = 20
const killMs = 15_000
