import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstat, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Program } from '../program.ts'

/** Returns whether a source is the address of a git repository, and not a local file. */
export function isRepository(source: string): boolean {
  return /^(https?|ssh|git|file):\/\//.test(source) || /^[\w.-]+@[\w.-]+:/.test(source)
}

/** Returns the last part of an address, without `.git`. */
export function nameOfRepository(address: string): string {
  return /([^/:]+?)(\.git)?\/*$/.exec(address)?.[1] ?? ''
}

/** Clones the newest commit of a repository into a folder. Returns the folder, or the one in it at `path`. */
export async function cloneRepository(
  program: Program,
  address: string,
  folder: string,
  { path, branch }: { path?: string | undefined; branch?: string | undefined },
): Promise<string> {
  const chosen = branch === undefined ? [] : [`--branch=${branch}`]
  const argv = ['clone', '--quiet', '--depth=1', ...chosen, '--', address, folder]
  const git = spawn('git', argv, { env: program.env, stdio: ['inherit', 'ignore', 'inherit'] })
  const [exitCode] = (await once(git, 'exit')) as [number | null]
  if (exitCode !== 0) throw new Error(`Cannot clone "${address}": git ended with code ${exitCode}`)
  if (path === undefined) return folder
  const found = await realpath(join(folder, path)).catch(() => undefined)
  const isInside = found?.startsWith(`${await realpath(folder)}${sep}`) && (await lstat(found)).isDirectory()
  if (!isInside) throw new Error(`Cannot add "${path}": the repository has no such folder`)
  return found!
}
