import { readFileSync, writeFileSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { signalEach } from '../system/signal.ts'
import type { CgroupFiles } from './protocol.ts'

/** The variable that every process of an exec inherits; by it a process is found that left its parents and session. */
export const markerVariable = 'CARREL_PROCESS_ID'

interface Root {
  pid: number
  processId: string
  cgroup: CgroupFiles
}

/**
 * Signals everything that came of a process: its descendants, its session, and whatever carries its marker. With
 * SIGKILL it goes on until none is left. For hosts without a control group for each exec (`exec-group.ts`), which finds
 * also what has hidden.
 *
 * The computer stands still while it is looked through: nothing is forked meanwhile, and no program can make the kernel
 * wait for a lock of its own when its environment is read. Reading is done on other threads all the same.
 */
export async function signalTree(root: Root, signal: NodeJS.Signals): Promise<void> {
  const rounds = signal === 'SIGKILL' ? maxRounds : 1
  for (let round = 0; round < rounds; round++) {
    const thaw = await freeze(root.cgroup)
    let hit: number
    try {
      hit = await signalOnce(root, signal)
    } finally {
      thaw()
    }
    if (hit === 0) return
    await delay(roundPauseMs)
  }
}

async function signalOnce(root: Root, signal: NodeJS.Signals): Promise<number> {
  const pids = await findTree(root)
  signalEach(pids, signal)
  return pids.length
}

/** Host ids of the live processes that belong to the tree. */
export async function findTree(root: Root): Promise<number[]> {
  const marker = `${markerVariable}=${root.processId}`
  const found = new Set([root.pid])
  const candidates: { pid: number; stat: ProcessStat | undefined }[] = []
  for (const pid of readPids(root.cgroup.procs)) {
    const stat = parseStat(await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => ''))
    candidates.push({ pid, stat })
    if (stat && (stat.session === root.pid || (await carries(pid, marker)))) found.add(pid)
  }
  for (let grew = true; grew;) {
    grew = false
    for (const { pid, stat } of candidates) {
      if (stat && !found.has(pid) && found.has(stat.parent)) {
        found.add(pid)
        grew = true
      }
    }
  }
  return candidates.filter(({ pid, stat }) => stat?.isLive && found.has(pid)).map(({ pid }) => pid)
}

/** The host ids that a cgroup lists. */
export function readPids(path: string): number[] {
  try {
    // A process that this program's own namespace does not show is listed as 0, which a signal would take for its own group.
    return readFileSync(path, 'latin1')
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 0)
  } catch {
    return []
  }
}

export interface ProcessStat {
  /** False for one that has ended, whether or not its parent has taken note. */
  isLive: boolean
  parent: number
  session: number
  /** When it began, in ticks of the kernel's clock since it started: 100 a second. */
  begunAtTick: number
}

/** undefined for one that is gone. */
export function readStat(pid: number | 'self'): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return undefined
  }
}

function parseStat(text: string): ProcessStat | undefined {
  if (text === '') return undefined
  // By their numbers in proc_pid_stat(5), of which the third comes behind the name.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  const isDead = fields[0] === 'Z' || fields[0] === 'X'
  // The first thread can end, and the process be shown as dead, while others go on.
  return { isLive: !isDead || field(20) > 1, parent: field(4), session: field(6), begunAtTick: field(22) }
}

/** The id that a process carries; undefined for one that has no marker, or is gone. */
export async function markerOf(pid: number): Promise<string | undefined> {
  const variables = (await environmentOf(pid)).split('\0')
  return variables.find((variable) => variable.startsWith(`${markerVariable}=`))?.slice(markerVariable.length + 1)
}

async function carries(pid: number, marker: string): Promise<boolean> {
  return `\0${await environmentOf(pid)}`.includes(`\0${marker}\0`)
}

/** The first of a process's variables, among which the marker was put: all of them can be megabytes, of each process. */
async function environmentOf(pid: number): Promise<string> {
  const file = await open(`/proc/${pid}/environ`).catch(() => undefined)
  if (!file) return ''
  try {
    const head = Buffer.alloc(environmentHeadBytes)
    const { bytesRead } = await file.read(head, 0, head.length, 0)
    return head.toString('latin1', 0, bytesRead)
  } catch {
    return ''
  } finally {
    await file.close()
  }
}

/** Resolves when every process stands still, or after a moment all the same; gives what lets them go on. */
async function freeze({ freeze: { path, on, off } }: CgroupFiles): Promise<() => void> {
  const isOn = () => readText(path).trim() === on
  // One that was paused stays so.
  if (isOn() || !writeText(path, on)) return () => {}
  for (let waitedMs = 0; waitedMs < maxFreezeMs && !isOn(); waitedMs += freezePollMs) await delay(freezePollMs)
  return () => writeText(path, off)
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

function writeText(path: string, text: string): boolean {
  try {
    writeFileSync(path, text)
    return true
  } catch {
    return false
  }
}

const environmentHeadBytes = 16 * 1024
const maxRounds = 200
const roundPauseMs = 2
const maxFreezeMs = 500
const freezePollMs = 2
