import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/**
 * Runs a program of this project, such as `ledger/main.ts`, with the terminal of this one. Resolves with its exit code; 1
 * when a signal ended it.
 */
export async function runOwnProgram(path: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url))
  const child = spawn(process.execPath, [file, ...args], { env, stdio: ['ignore', 'inherit', 'inherit'] })
  const [exitCode] = (await once(child, 'exit')) as [number | null]
  return exitCode ?? 1
}
