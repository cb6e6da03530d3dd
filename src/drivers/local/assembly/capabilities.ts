import type { DriverCapabilities } from '../../driver.ts'
import { findProgram, type Runtime } from '../containers/runtime.ts'
import type { PreparedHost } from './prepare-host.ts'

/** Returns what the driver can do on this host. `isChosen`: the operator has named the runtime. */
export function capabilitiesOf(
  { pool, lxcfs, limitations }: PreparedHost,
  { program }: Runtime,
  isChosen: boolean,
): DriverCapabilities {
  return {
    snapshots: pool.storage.instantCopy,
    snapshotFormats: pool.storage.kind === 'btrfs' && findProgram('btrfs') ? ['btrfs', 'tar'] : ['tar'],
    diskQuota: pool.storage.quota,
    pause: true,
    ownProcView: lxcfs !== undefined,
    limitations: [
      ...limitations,
      ...(lxcfs ? [] : ['lxcfs is missing, so "free" and "uptime" in a computer show the host.']),
      ...(program.endsWith('runc') && !isChosen
        ? ['crun is missing; runc takes twice as long to start a process.']
        : []),
    ],
  }
}
