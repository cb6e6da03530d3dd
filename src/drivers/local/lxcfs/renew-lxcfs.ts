import { readFile, readlink, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { limits } from '../../../config/limits.ts'
import { lxcfsFiles } from './lxcfs-files.ts'
import { run } from '../system/run.ts'

const program = fileURLToPath(new URL('renew-lxcfs.pl', import.meta.url))
/** The system call numbers of setns and umount2. */
const systemCalls: Partial<Record<NodeJS.Architecture, [number, number]>> = { x64: [308, 166], arm64: [268, 39] }

/**
 * Mounts lxcfs in a running computer, after its lxcfs was killed, or when there was none at its start. Returns false
 * when the computer has a working view already. Takes about 10 ms. The given lxcfs must answer. Rejects on a host
 * without Perl, and on architectures other than x64 and arm64.
 */
export async function renewLxcfs(lxcfs: string, pid: number): Promise<boolean> {
  if (!(await isInComputer(pid)) || (await hasView(pid))) return false
  const numbers = systemCalls[process.arch]
  if (!numbers) throw new Error(`Cannot mount lxcfs in a running computer on ${process.arch}`)
  const args = [program, String(pid), lxcfs, ...numbers.map(String), ...lxcfsFiles]
  await run('perl', args, { timeoutMs: limits.lxcfsAnswerMs })
  return true
}

/** Guards against a process id that belongs to a program of the host by now. */
async function isInComputer(pid: number): Promise<boolean> {
  const namespace = (of: number | 'self') => readlink(`/proc/${of}/ns/user`).catch(() => undefined)
  const [own, its] = await Promise.all([namespace('self'), namespace(pid)])
  return its !== undefined && its !== own
}

/**
 * Returns false when lxcfs does not answer, and when the files are those of the host. Every read is answered by lxcfs
 * itself.
 */
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
