import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { benchEnv } from './settings.ts'

const worker = fileURLToPath(new URL('clear-worker.ts', import.meta.url))

/** Removes what a case has left: computers, snapshots and the database. No server may be running. */
export async function clearComputers(): Promise<void> {
  await clear([])
}

/** Ends the programs that outlive servers. Images are kept for the next run. */
export async function clearHost(): Promise<void> {
  await clear(['all'])
}

async function clear(args: string[]): Promise<void> {
  const child = spawn(process.execPath, [worker, ...args], { env: benchEnv, stdio: ['ignore', 'inherit', 'inherit'] })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`Cannot remove what a measurement has left: exit code ${code}`)
}
