import { readFileSync, writeFileSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { signalEach } from '../system/signal.ts'
import type { CgroupFiles } from './protocol.ts'

/** The variable that all processes of an exec inherit. It identifies processes that left their parents and session. */
export const markerVariable = 'CARREL_PROCESS_ID'

interface Root {
  pid: number
  processId: string
  cgroup: CgroupFiles
}

/**
 * Signals a process and everything that came from it: its descendants, its session, and all processes with its marker.
 * Repeats SIGKILL until none is left. For hosts without a control group for each exec (`exec-group.ts`), which also
 * covers processes that hide.
 *
 * The computer is frozen during the search: nothing is forked meanwhile, and no program can make the kernel wait for a
 * lock when its environment is read. Even so, other threads do the reading.
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

/** Returns the host ids of the live processes of the tree. */
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

/** Returns the host ids that a `cgroup.procs` file lists. */
export function readPids(path: string): number[] {
  try {
    // A process outside this program's namespace is listed as 0, which for a signal means the sender's own process
    // group.
    return readFileSync(path, 'latin1')
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 0)
  } catch {
    return []
  }
}

export interface ProcessStat {
  /** False for a process that has ended, reaped or not. */
  isLive: boolean
  parent: number
  session: number
  /** When it began, in ticks of the kernel's clock since boot: 100 a second. */
  begunAtTick: number
}

/** Returns undefined for a process that does not exist any more. */
export function readStat(pid: number | 'self'): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return undefined
  }
}

function parseStat(text: string): ProcessStat | undefined {
  if (text === '') return undefined
  // Fields have their numbers from proc_pid_stat(5). The third is the first one after the name.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  const isDead = fields[0] === 'Z' || fields[0] === 'X'
  // When the first thread has ended, the process is shown as dead although other threads continue.
  return { isLive: !isDead || field(20) > 1, parent: field(4), session: field(6), begunAtTick: field(22) }
}

/** Returns the value of a process's marker; undefined when it has none or does not exist any more. */
export async function markerOf(pid: number): Promise<string | undefined> {
  const variables = (await environmentOf(pid)).split('\0')
  return variables.find((variable) => variable.startsWith(`${markerVariable}=`))?.slice(markerVariable.length + 1)
}

async function carries(pid: number, marker: string): Promise<boolean> {
  return `\0${await environmentOf(pid)}`.includes(`\0${marker}\0`)
}

/** Returns the first of a process's variables, which include the marker. All variables can be megabytes per process. */
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

/** Freezes a computer. Resolves when all processes are frozen, or after a time limit, with a function that thaws it. */
async function freeze({ freeze: { path, on, off } }: CgroupFiles): Promise<() => void> {
  const isOn = () => readText(path).trim() === on
  // A paused computer stays paused.
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
