import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { containerConfig } from '../containers/config.ts'
import { hardware } from '../containers/hardware.ts'
import type { LxcfsView } from '../lxcfs/lxcfs.ts'
import type { NetworkSlot } from '../network/slots.ts'
import type { ComputerContext } from './computer-context.ts'
import type { ComputerRecord } from './computer-store.ts'
import { showDisk } from './show-disk.ts'

/** What a computer gets for the time that it runs. */
export interface ContainerView {
  slot: NetworkSlot
  /** undefined for the `/proc` of the host. */
  view: LxcfsView | undefined
}

/** Writes the runtime configuration of a computer and the small files that are mounted in it. */
export async function writeBundle(
  context: ComputerContext,
  record: ComputerRecord,
  view: ContainerView,
): Promise<void> {
  const { paths, guestFiles } = context
  const { id, hostname } = record
  const config = await configOf(context, record, view)
  await guestFiles.add(id)
  await Promise.all([
    writeFile(join(paths.computer(id), 'config.json'), JSON.stringify(config)),
    showDisk(context, record),
    writeFile(guestFiles.hostname(id), `${hostname}\n`),
    writeFile(guestFiles.hosts(id), `127.0.0.1 localhost\n::1 localhost\n${view.slot.address} ${hostname}\n`),
  ])
}

async function configOf(
  { paths, cgroups, guestFiles, cpus, seccomp }: ComputerContext,
  { id, hostname, limits }: ComputerRecord,
  { slot, view }: ContainerView,
): Promise<Record<string, unknown>> {
  return containerConfig({
    hostname,
    rootDirectory: paths.root(id),
    cgroupPath: paths.cgroup(id),
    userNamespace: slot.userNamespace,
    networkNamespace: slot.networkNamespace,
    initProgram: guestFiles.init,
    hostsFile: guestFiles.hosts(id),
    hostnameFile: guestFiles.hostname(id),
    resolvConf: guestFiles.resolvConf,
    diskFile: guestFiles.disk(id),
    shownDirectory: guestFiles.shown(id),
    lxcfs: view?.folder,
    limits,
    cpuset: cpus.allocate(limits.cpus),
    forbidSwap: await hostHasSwap(),
    countsSocketsApart: cgroups.countsSocketsApart,
    maskedPaths: hardware(),
    annotations: seccomp.annotations,
  })
}

async function hostHasSwap(): Promise<boolean> {
  return !/^SwapTotal:\s+0 kB/m.test(await readFile('/proc/meminfo', 'latin1'))
}
