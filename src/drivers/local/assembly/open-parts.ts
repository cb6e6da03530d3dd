import { CarrelError } from '../../../errors.ts'
import { findProgram } from '../containers/runtime.ts'
import { restoreNull } from '../host/restore-null.ts'
import { openNetwork } from '../network/open-network.ts'
import { findResolvers } from '../network/resolvers.ts'
import type { DriverParts } from './driver-parts.ts'

/** Opens network and monitors, adopts what has been running since before this server, and starts the regular checks. */
export async function openParts(parts: DriverParts): Promise<void> {
  const {
    options,
    paths,
    guestFiles,
    volumes,
    transfers,
    capabilities,
    monitors,
    processes,
    computers,
    lxcfs,
    slotPool,
  } = parts
  const { allowedAddresses, log } = options
  const resolvers = options.resolvers.length > 0 ? options.resolvers : findResolvers()
  await guestFiles.setResolvers(resolvers)
  await guestFiles.setInit(findInit())
  await volumes.prepare()
  await transfers.prepare()
  if (await restoreNull()) log?.warn({}, "gave the host's /dev/null back to root, with mode 0666")
  const [limitations] = await Promise.all([openNetwork({ paths, resolvers, allowedAddresses }), monitors.open()])
  capabilities.limitations.push(...limitations)
  const supervised = await monitors.list()
  await processes.load(supervised.processes)
  await computers.load(supervised.containers)
  await lxcfs?.watch(() => computers.running())
  slotPool.refill()
  await startDiskChecks(parts)
}

async function startDiskChecks({ guard, poolMaintenance, journals, helpers }: DriverParts): Promise<void> {
  guard.onCheck(() => poolMaintenance.check())
  guard.onCheck(() => journals.measure())
  guard.onCheck(() => void helpers.report('disk', guard.headroomBytes > 0 ? undefined : 'it is nearly full'))
  await guard.check()
  guard.start()
}

function findInit(): string {
  const program = findProgram('catatonit')
  if (!program) throw new CarrelError('unavailable', 'Cannot run computers: "catatonit" is not installed')
  return program
}
