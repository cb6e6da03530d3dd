import { setTimeout as delay } from 'node:timers/promises'
import { SetupFailure } from '../setup-failure.js'

/**
 * Sends a signal until there are none left, KILL after `graceMs`. Throws when some do not even end by that.
 * @param {() => number[]} find those that are left
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
        `Cannot end ${what} (process ${pids.join(', ')}): not even SIGKILL does; restart this machine.`,
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
    // It has ended by itself.
  }
}

const pollMs = 20
const killMs = 15_000
