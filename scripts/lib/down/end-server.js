import { endProcesses } from './end-processes.js'

/** Longer than a server takes for its orderly end. */
const graceMs = 15_000

/** The server is whoever holds the lock. @param {import('./data-directory.js').DataDirectory} data */
export function endServer(data) {
  return endProcesses(() => data.holders(data.lock), { what: 'the server', graceMs })
}
