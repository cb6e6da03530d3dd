import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { UsageError } from './usage-error.ts'

/**
 * Runs a program of this project, such as `ledger/main.ts`, with the terminal of this one. Resolves with its exit code; 1
 * when a signal ended it. Throws a `UsageError` in the client package, which has no such programs.
 */
export async function runOwnProgram(path: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const file = fileOf(path)
  if (!existsSync(file))
    throw new UsageError(
      "Cannot run this here: it works on the data of a server, and comes with the server's clone of Carrel",
    )
  const child = spawn(process.execPath, [file, ...args], { env, stdio: ['ignore', 'inherit', 'inherit'] })
  const [exitCode] = (await once(child, 'exit')) as [number | null]
  return exitCode ?? 1
}

/** Returns whether the programs are here, as they are not in the client package. */
export function hasOwnPrograms(): boolean {
  return existsSync(fileOf('ledger/main.ts'))
}

function fileOf(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url))
}
