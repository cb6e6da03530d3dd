import { execFile, spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { isMounted } from '../host/mounts.ts'
import { callAsync, MNT_DETACH, MNT_FORCE } from '../system/libc.ts'
import { signalEach } from '../system/signal.ts'
import type { Paths } from '../paths.ts'

/**
 * Whether the lxcfs of a folder answers within a time. A program of its own looks: who reads a file of an lxcfs that is
 * stopped waits for it, and may be one that nothing can end. It is ended when it has taken too long.
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

/** Mounts a new one, and gives whether it answers. It outlives the server. */
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
 * Ends every lxcfs of a folder, in whatever state it is, and takes its mount away. What waits for an answer of it gets an
 * error: the connection is aborted, also of one that KILL does not end at once.
 */
export async function endLxcfs(paths: Paths): Promise<void> {
  const folder = paths.lxcfs
  signalEach(await lxcfsProcesses(paths), 'SIGKILL')
  for (let tries = 0; tries < maxMounts && isMounted(folder); tries++)
    await callAsync('umount2', folder, MNT_FORCE | MNT_DETACH).catch(() => {})
}

/** By what they run and for which folder: the number in the file may be another program's by now. */
async function lxcfsProcesses({ lxcfs, runtime }: Paths): Promise<number[]> {
  const noted = Number(textOf(`${runtime}/lxcfs.pid`))
  if (isLxcfs(noted, lxcfs)) return [noted]
  return (await readdir('/proc')).map(Number).filter((pid) => isLxcfs(pid, lxcfs))
}

/** Programs of computers are passed over: to read their arguments can take as long as they like. */
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
/** Mounts that lie over each other. */
const maxMounts = 16
