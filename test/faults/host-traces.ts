import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase } from '../../src/db/open.ts'
import type { ComputerRow } from '../../src/db/schema.ts'
import { Paths } from '../../src/drivers/local/paths.ts'
import { testDataDirectory } from '../support/server.ts'

export const paths = new Paths(testDataDirectory)

/** The traces of computers on this host, each kind as a sorted list: of ids, or of numbers for slots. */
export interface HostTraces {
  descriptions: string[]
  volumes: string[]
  containers: string[]
  cgroups: string[]
  /** The slots that the descriptions name. */
  slots: string[]
  namespaces: string[]
  interfaces: string[]
}

export function hostTraces(): HostTraces {
  const descriptions = entries(join(testDataDirectory, 'computers'))
  return {
    descriptions,
    volumes: entries(join(testDataDirectory, 'pool', 'computers')),
    containers: entries(join(paths.runtime, 'runtime')),
    cgroups: cgroups(),
    slots: descriptions.flatMap((id) => slotOf(id) ?? []).toSorted(),
    namespaces: entries(paths.slots),
    interfaces: entries('/sys/class/net')
      .filter((name) => name.startsWith(paths.interfacePrefix))
      .map((name) => name.slice(paths.interfacePrefix.length))
      .toSorted(),
  }
}

/** Returns the mounted roots, and the directories for them. */
export function mountedRoots(): { mounts: string[]; directories: string[] } {
  const parent = join(paths.mounts, 'root')
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .filter((target) => target.startsWith(`${parent}/`))
    .map((target) => target.slice(parent.length + 1))
  return { mounts: [...new Set(mounts)].toSorted(), directories: entries(parent) }
}

/** Returns the kinds of traces that a computer has left; none after a clean stop. */
export function tracesOf(id: string): string[] {
  const { slots: _, namespaces: __, interfaces: ___, ...byId } = hostTraces()
  const { mounts, directories } = mountedRoots()
  return Object.entries({ ...byId, mounts, directories }).flatMap(([kind, ids]) => (ids.includes(id) ? [kind] : []))
}

export async function computerRows(): Promise<ComputerRow[]> {
  const db = await openDatabase(join(testDataDirectory, 'carrel.db'))
  try {
    return await db.selectFrom('computers').selectAll().execute()
  } finally {
    await db.destroy()
  }
}

export async function computerRow(name: string): Promise<ComputerRow | undefined> {
  return (await computerRows()).find((row) => row.name === name)
}

/** Returns the host process id of the monitor. */
export function monitorPid(): number {
  const [pid] = monitorPids()
  if (!pid) throw new Error('no monitor is running')
  return pid
}

/** Returns the host process id of every monitor, where several versions run. */
export function monitorPids(): number[] {
  const log = join(testDataDirectory, 'monitor.log')
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && linkOf(`/proc/${name}/fd/1`) === log)
    .map(Number)
}

export function slotOf(id: string): string | undefined {
  const name = entries(join(testDataDirectory, 'computers', id)).find((entry) => entry.startsWith('slot-'))
  return name?.slice('slot-'.length)
}

/**
 * Returns the computers that have a control group in the tree that the runtime sees, which may differ from the host's.
 */
function cgroups(): string[] {
  const parent = paths.cgroup('')
  const monitor = monitorPids()[0]
  const root = monitor === undefined ? '/sys/fs/cgroup' : `/proc/${monitor}/root/sys/fs/cgroup`
  const trees = [root, ...entries(root).map((name) => join(root, name))]
  const ids = trees.flatMap((tree) =>
    entries(join(tree, parent)).filter((name) => existsSync(join(tree, parent, name, 'cgroup.procs'))),
  )
  return [...new Set(ids)].toSorted()
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => !name.startsWith('.'))
      .toSorted()
  } catch {
    return []
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
