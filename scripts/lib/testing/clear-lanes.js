import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DataDirectory, namesIn } from '../down/data-directory.js'
import { endComputers } from '../down/end-computers.js'
import { endHelpers } from '../down/end-helpers.js'
import { endProcesses } from '../down/end-processes.js'
import { removeTraces } from '../down/remove-traces.js'
import { readSettings } from '../settings.js'
import { SetupFailure } from '../setup-failure.js'
import { isOfTests } from './leftovers.js'

/**
 * Ends what runs on the lanes' data directories and removes their traces from this host; images and files stay. So every
 * run begins alike, also after one that was killed, and leaves nothing running. What cannot be cleared is printed. Throws
 * where a server that no test started uses one of the directories.
 * @param {import('./lanes.js').Lane[]} lanes
 */
export async function clearLanes(lanes) {
  for (const data of lanes.flatMap(({ env }) => directoriesOf(readSettings(env).dataDirectory))) {
    if (data.holders(data.lock).some((pid) => !isOfTests(pid)))
      throw new SetupFailure(
        `Cannot test on ${data.path}: a server uses it. Stop it, or set CARREL_DATA to another directory.`,
      )
    try {
      await endProcesses(() => data.holders(data.lock), { what: 'a server of the tests', graceMs: 1_000 })
      for (const end of [endComputers, endHelpers, removeTraces]) await end(data)
    } catch (error) {
      console.log(`Not all of ${data.path} could be cleared: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

/**
 * Returns a lane's data directory, after those that its tests have made in it for other servers.
 * @param {string} path
 */
function directoriesOf(path) {
  const inside = namesIn(path).map((name) => join(path, name))
  const used = inside.filter((folder) => existsSync(join(folder, 'server.lock')))
  return [...used, path].map((each) => new DataDirectory(each))
}
