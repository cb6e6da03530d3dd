import { fileURLToPath } from 'node:url'
import { runIsolated } from './program.ts'

export interface InRootOptions {
  /** All of the command's variables; none of the host's are added. */
  env: Record<string, string>
  /** In the root; `/` by default. */
  cwd?: string
  onLine?: (line: string) => void
  /** Ends the command and all that it started. */
  signal?: AbortSignal
}

/**
 * Runs a command as root inside a root file system. For what its operator wrote, never for what a guest left: it is
 * a chroot, not a computer. Rejects with `ProgramFailure`.
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
