import { readdirSync, readFileSync } from 'node:fs'
import { readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readPids } from '../monitor/process-tree.ts'
import { signalEach } from '../system/signal.ts'

/**
 * Kills processes, and returns how many it signalled. Needed for a computer that another runtime created: the present
 * runtime finds nothing to end.
 */
export function killAll(pids: number[], exceptPids?: ReadonlySet<number>): number {
  const ended = pids.filter((pid) => pid > 1 && !exceptPids?.has(pid))
  signalEach(ended, 'SIGKILL')
  return ended.length
}

/** Returns the host ids of the processes of a group and of the groups below it. */
export function pidsBelow(group: string): number[] {
  const below = directories(group).flatMap((name) => pidsBelow(join(group, name)))
  return [...readPids(join(group, 'cgroup.procs')), ...below]
}

/** Removes a group and the groups below it. */
export async function removeTree(group: string): Promise<void> {
  for (const name of directories(group)) await removeTree(join(group, name))
  await removeGroup(group)
}

/** Removes a group. Retries, as the kernel releases the last process only shortly after its end. */
export async function removeGroup(directory: string): Promise<void> {
  for (let tries = 0; tries < maxRemoveTries; tries++) {
    const error = await rmdir(directory).then(
      () => undefined,
      (cause: NodeJS.ErrnoException) => cause,
    )
    if (error?.code !== 'EBUSY') return
    await delay(removeRetryMs)
  }
}

export function directories(parent: string): string[] {
  try {
    return readdirSync(parent, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  } catch {
    return []
  }
}

/** Polls a condition until it holds. Returns false when it does not within `withinMs`. */
export async function until(condition: () => Promise<boolean>, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs
  while (!(await condition())) {
    if (performance.now() >= end) return false
    await delay(freezePollMs)
  }
  return true
}

/** Memory that a group needs: what the kernel cannot give back by writing files to the disk. */
export function neededMemory(usedBytes: number, stat: string, prefix = ''): number {
  return usedBytes - field(stat, `${prefix}inactive_file`) - field(stat, `${prefix}active_file`)
}

export const maxFreezeMs = 1000
const freezePollMs = 2
const maxRemoveTries = 100
const removeRetryMs = 10

export async function text(path: string): Promise<string> {
  return readFile(path, 'latin1').catch(() => '')
}

/** Reads a file synchronously, for frequent reads: a thread of the pool takes ten times as long as these files. */
export function textSync(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}

export async function number(path: string): Promise<number> {
  return Number((await text(path)).trim()) || 0
}

export function field(content: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(content)?.[1] ?? 0)
}
