import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { findProgram } from './containers/runtime.ts'
import { unmount } from './mounts.ts'
import type { Paths } from './paths.ts'

/**
 * Mounts lxcfs for the computers of this data directory, unless it is from before. It outlives the server.
 * Resolves with the folder, or with undefined where the host has none.
 */
export async function openLxcfs(paths: Paths): Promise<string | undefined> {
  const program = findProgram('lxcfs')
  if (!program || !existsSync('/dev/fuse')) return undefined
  if (await answers(paths.lxcfs)) return paths.lxcfs
  await unmount(paths.lxcfs) // what an lxcfs that was killed has left
  await mkdir(paths.lxcfs, { recursive: true }).catch(() => {})
  const pidFile = `${paths.runtime}/lxcfs.pid`
  spawn(program, ['--foreground', '--enable-loadavg', '--pidfile', pidFile, paths.lxcfs], {
    detached: true,
    stdio: 'ignore',
    cwd: '/',
  })
    .on('error', () => {})
    .unref()
  for (let waitedMs = 0; waitedMs < maxWaitMs; waitedMs += pollMs) {
    if (await answers(paths.lxcfs)) return paths.lxcfs
    await delay(pollMs)
  }
  return undefined
}

async function answers(directory: string): Promise<boolean> {
  const meminfo = await readFile(`${directory}/proc/meminfo`, 'utf8').catch(() => '')
  return meminfo.includes('MemTotal')
}

const pollMs = 20
const maxWaitMs = 3000
