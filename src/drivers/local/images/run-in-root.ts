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
}

/**
 * Runs a command as root inside a root file system. It is only a chroot and not a computer, so it is for commands of
 * the operator, never for those of a guest. Throws `ProgramFailure`.
 */
export function runInRoot(
  root: string,
  argv: string[],
  { env, cwd = '/', onLine, signal }: InRootOptions,
): Promise<void> {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  return runIsolated(['/bin/sh', script, root, '/usr/bin/env', '-i', `--chdir=${cwd}`, ...variables, ...argv], {
    onLine,
    signal,
  })
}

const script = fileURLToPath(new URL('run-in-root.sh', import.meta.url))
