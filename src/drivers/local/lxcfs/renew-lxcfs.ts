import { readFile, readlink, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { limits } from '../../../config/limits.ts'
import { lxcfsFiles } from './lxcfs-files.ts'
import { run } from '../system/run.ts'

const program = fileURLToPath(new URL('renew-lxcfs.pl', import.meta.url))
/** Numbers of setns and umount2. */
const systemCalls: Partial<Record<NodeJS.Architecture, [number, number]>> = { x64: [308, 166], arm64: [268, 39] }

/**
 * Gives a running computer its own view of `/proc`, after the lxcfs that it had was killed, or when there was none at its
 * start; true when it had none. Some 10 ms. The lxcfs answers. Rejects on a host without Perl, and on another architecture.
 */
export async function renewLxcfs(lxcfs: string, pid: number): Promise<boolean> {
  if (!(await isInComputer(pid)) || (await hasView(pid))) return false
  const numbers = systemCalls[process.arch]
  if (!numbers) throw new Error(`Cannot mount lxcfs in a running computer on ${process.arch}`)
  const args = [program, String(pid), lxcfs, ...numbers.map(String), ...lxcfsFiles]
  await run('perl', args, { timeoutMs: limits.lxcfsAnswerMs })
  return true
}

/** A number may be that of a program of the host by now, which gets nothing mounted. */
async function isInComputer(pid: number): Promise<boolean> {
  const namespace = (of: number | 'self') => readlink(`/proc/${of}/ns/user`).catch(() => undefined)
  const [own, its] = await Promise.all([namespace('self'), namespace(pid)])
  return its !== undefined && its !== own
}

/** Not when its file system lost its program, and not when it is the host's own. Reading is asked of the program each time. */
async function hasView(pid: number): Promise<boolean> {
  const proc = `/proc/${pid}/root/proc`
  try {
    await readFile(`${proc}/meminfo`)
    const [own, host] = await Promise.all([stat(`${proc}/meminfo`), stat(proc)])
    return own.dev !== host.dev
  } catch {
    return false
  }
}
