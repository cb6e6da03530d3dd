import { fileURLToPath } from 'node:url'
import { runIsolated } from './program.ts'

export interface InRootOptions {
  /** All variables of the command. Those of the host are not added. */
  env: Record<string, string>
  /** A directory in the root; `/` by default. */
  cwd?: string
  onLine?: (line: string) => void
  /** Kills the command and all of its children. */
  signal?: AbortSignal
  background?: boolean
  /** A descriptor of the user namespace that the command gets; undefined for the host's. */
  namespace?: number | undefined
  /** A directory of the host that the command sees as /run/build. */
  inputs?: string
}

/**
 * Runs a command as root inside a root file system. It is only a chroot and not a computer, so it is for commands of
 * the operator, never for those of a guest. Throws `ProgramFailure`.
 */
export function runInRoot(
  root: string,
  argv: string[],
  { env, cwd = '/', inputs = '', namespace, ...options }: InRootOptions,
): Promise<void> {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const command = ['/usr/bin/env', '-i', `--chdir=${cwd}`, ...variables, ...argv]
  const mode = namespace === undefined ? 'host' : 'shifted'
  return runIsolated(['/bin/sh', script, root, mode, inputs, ...command], { ...options, inherited: namespace })
}

const script = fileURLToPath(new URL('run-in-root.sh', import.meta.url))
