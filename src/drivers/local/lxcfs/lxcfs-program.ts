import { execFile, spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { isMounted } from '../host/mounts.ts'
import { callAsync, MNT_DETACH, MNT_FORCE } from '../system/libc.ts'
import { signalEach } from '../system/signal.ts'
import type { Paths } from '../paths.ts'

/**
 * Returns whether the lxcfs of a folder answers within a time limit. A separate program reads a file of it, since a
 * reader of an lxcfs that is stopped waits for it, possibly where nothing can end the reader. The program is killed at
 * the limit.
 */
export function answers(folder: string, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => {
      reader.kill('SIGKILL')
      resolve(false)
    }, withinMs)
    const reader = execFile('head', ['-c', '8', `${folder}/proc/meminfo`], (error, stdout) => {
      clearTimeout(limit)
      resolve(!error && stdout === 'MemTotal')
    })
  })
}

/** Starts and mounts an lxcfs that outlives the server. Returns whether it answers. */
export async function startLxcfs(program: string, paths: Paths): Promise<boolean> {
  const folder = paths.lxcfs
  await mkdir(folder, { recursive: true }).catch(() => {})
  const pidFile = `${paths.runtime}/lxcfs.pid`
  spawn(program, ['--foreground', '--enable-loadavg', '--pidfile', pidFile, folder], {
    detached: true,
    stdio: 'ignore',
    cwd: '/',
  })
    .on('error', () => {})
    .unref()
  for (let waitedMs = 0; waitedMs < maxStartMs; waitedMs += pollMs) {
    if (isMounted(folder) && (await answers(folder, maxStartMs - waitedMs))) return true
    await delay(pollMs)
  }
  return false
}

/**
 * Kills all lxcfs programs of a folder, in whatever state they are, and unmounts it. Readers that wait for an answer
 * get an error: the connection is aborted, even when KILL does not end the program at once.
 */
export async function endLxcfs(paths: Paths): Promise<void> {
  const folder = paths.lxcfs
  signalEach(await lxcfsProcesses(paths), 'SIGKILL')
  for (let tries = 0; tries < maxMounts && isMounted(folder); tries++)
    await callAsync('umount2', folder, MNT_FORCE | MNT_DETACH).catch(() => {})
}

/** Finds the programs by their name and folder, as the process id in the file may belong to another program by now. */
async function lxcfsProcesses({ lxcfs, runtime }: Paths): Promise<number[]> {
  const noted = Number(textOf(`${runtime}/lxcfs.pid`))
  if (isLxcfs(noted, lxcfs)) return [noted]
  return (await readdir('/proc')).map(Number).filter((pid) => isLxcfs(pid, lxcfs))
}

/** Skips programs of computers, which can delay the reading of their arguments for any time. */
function isLxcfs(pid: number, folder: string): boolean {
  if (!(pid > 1) || textOf(`/proc/${pid}/comm`) !== 'lxcfs\n') return false
  if (statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid !== 0) return false
  return textOf(`/proc/${pid}/cmdline`).split('\0').includes(folder)
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

const pollMs = 20
const maxStartMs = 3000
/** Limit on mounts over each other. */
const maxMounts = 16
