import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
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
 * SIGKILL it goes on until none is left, against a fork bomb with the computer frozen meanwhile.
 */
export async function signalTree(root: Root, signal: NodeJS.Signals): Promise<void> {
  if (signal !== 'SIGKILL') return void (await signalOnce(root, signal))
  for (let round = 0; round < maxRounds; round++) {
    const frozen = round >= roundsBeforeFreezing && freeze(root.cgroup, 'on')
    const hit = await signalOnce(root, 'SIGKILL')
    if (frozen) freeze(root.cgroup, 'off')
    if (hit === 0) return
    await turn()
  }
}

async function signalOnce(root: Root, signal: NodeJS.Signals): Promise<number> {
  const pids = await findTree(root)
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch {
      // It ended by itself meanwhile.
    }
  }
  return pids.length
}

/** Host ids of the live processes that belong to the tree. Gives way to the work of other computers now and then. */
export async function findTree(root: Root): Promise<number[]> {
  const marker = `${markerVariable}=${root.processId}`
  const found = new Set([root.pid])
  const candidates = readPids(root.cgroup.procs).map((pid) => ({ pid, stat: readStat(pid) }))
  for (const [index, { pid, stat }] of candidates.entries()) {
    if (index % pidsAtOnce === pidsAtOnce - 1) await turn()
    if (stat && (stat.session === root.pid || carries(pid, marker))) found.add(pid)
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
    return readFileSync(path, 'latin1').split('\n').filter(Boolean).map(Number)
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
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // By their numbers in proc_pid_stat(5), of which the third comes behind the name.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const field = (number: number) => Number(fields[number - 3])
    const isDead = fields[0] === 'Z' || fields[0] === 'X'
    // The first thread can end, and the process be shown as dead, while others go on.
    return { isLive: !isDead || field(20) > 1, parent: field(4), session: field(6), begunAtTick: field(22) }
  } catch {
    return undefined
  }
}

/** The id that a process carries; undefined for one that has no marker, or is gone. */
export function markerOf(pid: number): string | undefined {
  try {
    const variables = environmentOf(pid).split('\0')
    return variables.find((variable) => variable.startsWith(`${markerVariable}=`))?.slice(markerVariable.length + 1)
  } catch {
    return undefined
  }
}

function carries(pid: number, marker: string): boolean {
  try {
    return `\0${environmentOf(pid)}`.includes(`\0${marker}\0`)
  } catch {
    return false
  }
}

/** The first of a process's variables, among which the marker was put: all of them can be megabytes, of each process. */
function environmentOf(pid: number): string {
  const fd = openSync(`/proc/${pid}/environ`, 'r')
  try {
    return environmentHead.toString('latin1', 0, readSync(fd, environmentHead, 0, environmentHead.length, 0))
  } finally {
    closeSync(fd)
  }
}

function freeze(cgroup: CgroupFiles, state: 'on' | 'off'): boolean {
  try {
    writeFileSync(cgroup.freeze.path, cgroup.freeze[state])
    return true
  } catch {
    return false
  }
}

const environmentHead = Buffer.alloc(16 * 1024)
const pidsAtOnce = 32
const maxRounds = 200
const roundsBeforeFreezing = 3
