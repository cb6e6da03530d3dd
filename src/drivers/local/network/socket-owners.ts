import { readdirSync, readlinkSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { execOf } from '../monitor/exec-group.ts'
import { markerOf, readStat } from '../monitor/process-tree.ts'

/** The processes that were started on a computer, by which their descendants are recognised. */
export interface StartedProcesses {
  computerId: string
  /** Process ids by the host id of the first process of each running one. */
  byPid: Map<number, string>
  /** Returns whether a process of this id was ever started on the computer. */
  has: (processId: string) => boolean
}

/**
 * Returns the started process that each socket came from, by inode, without sockets whose holder is not found. Searches
 * the descriptors of `pids` for holders: at most `maxDescriptors`, some in each turn of the event loop.
 */
export async function findOwners(
  inodes: Set<number>,
  pids: number[],
  started: StartedProcesses,
): Promise<Map<number, string>> {
  const owners = new Map<number, string>()
  const wanted = new Map([...inodes].map((inode) => [`socket:[${inode}]`, inode]))
  let left = maxDescriptors
  for (const pid of pids) {
    for (const [index, link] of descriptors(pid).entries()) {
      if (wanted.size === 0 || left-- === 0) return owners
      if (index % descriptorsInTurn === descriptorsInTurn - 1) await turn()
      const target = readLink(`/proc/${pid}/fd/${link}`)
      const inode = wanted.get(target)
      if (inode === undefined) continue
      wanted.delete(target)
      const owner = await ownerOf(pid, started)
      if (owner !== undefined) owners.set(inode, owner)
    }
    await turn()
  }
  return owners
}

/**
 * Returns the started process that a process descends from: by its control group, else by the marker in its
 * environment, else by its ancestors, since `sudo` replaces the environment.
 */
async function ownerOf(pid: number, started: StartedProcesses): Promise<string | undefined> {
  const inGroup = execOf(pid, started.computerId)
  if (inGroup !== undefined && started.has(inGroup)) return inGroup
  const marker = await markerOf(pid)
  if (marker !== undefined && started.has(marker)) return marker
  for (let at = pid, steps = 0; at > 1 && steps < maxAncestors; steps++) {
    const owner = started.byPid.get(at)
    if (owner !== undefined) return owner
    at = readStat(at)?.parent ?? 0
  }
  return undefined
}

function descriptors(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`)
  } catch {
    return []
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

/**
 * A guest can have millions of descriptors. Beyond this number owners are unknown; the ports are reported all the same.
 */
const maxDescriptors = 20_000
const descriptorsInTurn = 200
const maxAncestors = 64
