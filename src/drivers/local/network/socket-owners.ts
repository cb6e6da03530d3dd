import { readdirSync, readlinkSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { execOf } from '../monitor/exec-group.ts'
import { markerOf, readStat } from '../monitor/process-tree.ts'

/** The processes that were started on a computer, to know again what came of them. */
export interface StartedProcesses {
  computerId: string
  /** By the host id of the first process of each that runs. */
  byPid: Map<number, string>
  /** Whether a process of that id was ever started there. */
  has: (processId: string) => boolean
}

/**
 * Which started process each socket came of, by inode; a socket whose holder is not found is left out. Whoever holds it
 * is looked for in the descriptors of `pids`, at most `maxDescriptors` of them, a part in a turn of the event loop.
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
 * By the control group that it is in; where there is none, by the marker that it inherited, else by its ancestors: `sudo`
 * gives a program an environment of its own.
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

/** A guest may have millions: the owner is then unknown, and the port is told all the same. */
const maxDescriptors = 20_000
const descriptorsInTurn = 200
const maxAncestors = 64
