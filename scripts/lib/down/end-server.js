import { endProcesses } from './end-processes.js'

/** Longer than a server takes to stop gracefully. */
const graceMs = 15_000

/**
 * Ends the server, which is the process that holds the lock. @param {import('./data-directory.js').DataDirectory} data
 */
export function endServer(data) {
  return endProcesses(() => data.holders(data.lock), { what: 'the server', graceMs })
}
