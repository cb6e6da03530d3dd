import { DataDirectory } from '../down/data-directory.js'
import { endComputers } from '../down/end-computers.js'
import { endHelpers } from '../down/end-helpers.js'
import { removeTraces } from '../down/remove-traces.js'
import { readSettings } from '../settings.js'

/**
 * Ends what runs of the lanes' data directories and takes off what they have on this host; images and files stay. So a run
 * starts from the same whatever an earlier one left, also one that was killed, and leaves nothing running.
 * @param {import('./lanes.js').Lane[]} lanes
 */
export async function clearLanes(lanes) {
  for (const { env } of lanes) {
    const data = new DataDirectory(readSettings(env).dataDirectory)
    if (data.holders(data.lock).length > 0)
      throw new Error(`Cannot test on ${data.path}: a server uses it; stop it, or set CARREL_DATA to another directory`)
    await endComputers(data)
    await endHelpers(data)
    await removeTraces(data)
  }
}
