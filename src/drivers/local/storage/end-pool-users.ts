import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findCgroups } from '../cgroups/open-cgroups.ts'
import { MonitorClient } from '../monitors/monitor-client.ts'
import { mountsBelow, unmount } from '../host/mounts.ts'
import type { Paths } from '../paths.ts'

/**
 * Ends, before the driver is open, everything that can have a part of the pool open or mounted: the processes of
 * computers, and the helpers in the mount namespace of an earlier server. The later steps of the start create new
 * helpers.
 */
export async function endPoolUsers(paths: Paths): Promise<void> {
  const cgroups = findCgroups()
  for (let tries = 0; tries < maxTries; tries++) {
    const groups = cgroups.list(paths.cgroup(''))
    if (groups.reduce((sum, id) => sum + cgroups.kill(paths.cgroup(id), new Set()), 0) === 0) break
    await delay(pauseMs)
  }
  await endMonitors(paths.runtime)
  const lxcfsPid = Number(await readFile(join(paths.runtime, 'lxcfs.pid'), 'latin1').catch(() => '0'))
  const command = await readFile(`/proc/${lxcfsPid}/cmdline`, 'latin1').catch(() => '')
  if (command.split('\0').includes(paths.lxcfs)) process.kill(lxcfsPid, 'SIGKILL')
  for (const kind of ['root', 'build'])
    for (const mount of [...mountsBelow(join(paths.mounts, kind))].toReversed()) await unmount(mount)
}

/** Ends the monitors, which have recorded the ends of processes by then. */
async function endMonitors(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => [])
  for (const name of names.filter((entry) => /^monitor.*\.sock$/.test(entry))) {
    const monitor = await MonitorClient.connect(join(directory, name), {
      onEvent: () => {},
      onLost: () => {},
      onSilence: () => {},
    })
    await monitor?.quit()
  }
}

const maxTries = 100
const pauseMs = 20
