import { readdirSync, readFileSync } from 'node:fs'
import { readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readPids } from '../monitor/process-tree.ts'
import { signalEach } from '../system/signal.ts'

/** Nothing is left of a computer that its runtime removed, but another runtime than the one that made it finds nothing to end. */
export function killAll(pids: number[], exceptPids?: ReadonlySet<number>): number {
  const ended = pids.filter((pid) => pid > 1 && !exceptPids?.has(pid))
  signalEach(ended, 'SIGKILL')
  return ended.length
}

/** Host ids of the processes of a group and of the groups below it. */
export function pidsBelow(group: string): number[] {
  const below = directories(group).flatMap((name) => pidsBelow(join(group, name)))
  return [...readPids(join(group, 'cgroup.procs')), ...below]
}

/** Removes a group and the groups below it. */
export async function removeTree(group: string): Promise<void> {
  for (const name of directories(group)) await removeTree(join(group, name))
  await removeGroup(group)
}

/** A group can be removed when the last of its processes is gone for good, which takes a moment after its end. */
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

/** Asks again until it is so, for a second at most. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < 1000 && !(await isSo()); waitedMs += freezePollMs) await delay(freezePollMs)
}

const freezePollMs = 5
const maxRemoveTries = 100
const removeRetryMs = 10

export async function text(path: string): Promise<string> {
  return readFile(path, 'latin1').catch(() => '')
}

/** The same without a turn of the event loop, for what is read often: a thread takes ten times as long as these files. */
export function textAtOnce(path: string): string | undefined {
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
