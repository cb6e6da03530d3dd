import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { lxcfsFiles } from './lxcfs-files.ts'
import { run } from './system/run.ts'

const program = fileURLToPath(new URL('renew-lxcfs.pl', import.meta.url))
/** Numbers of setns and umount2. */
const systemCalls: Partial<Record<NodeJS.Architecture, [number, number]>> = { x64: [308, 166], arm64: [268, 39] }

/**
 * Gives a running computer its own view of `/proc` back, after the lxcfs that it had was killed; true when it had lost
 * it. Some 10 ms. Rejects on a host without Perl, and on another architecture.
 */
export async function renewLxcfs(lxcfs: string, pid: number): Promise<boolean> {
  if (!(await isCutOff(pid))) return false
  const numbers = systemCalls[process.arch]
  if (!numbers) throw new Error(`Cannot mount lxcfs in a running computer on ${process.arch}`)
  await run('perl', [program, String(pid), lxcfs, ...numbers.map(String), ...lxcfsFiles])
  return true
}

/** What a FUSE file system without its program says. */
async function isCutOff(pid: number): Promise<boolean> {
  const error = await readFile(`/proc/${pid}/root/proc/meminfo`).then(
    () => undefined,
    (cause: NodeJS.ErrnoException) => cause,
  )
  return error?.code === 'ENOTCONN'
}
