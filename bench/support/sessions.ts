import { join } from 'node:path'
import { openDatabase } from '../../src/db/open.ts'
import { addSample } from '../../test/support/sample.ts'
import { post } from './computers.ts'
import type { BenchServer } from './server.ts'
import { benchData } from './settings.ts'

/** Adds a sample of the server's own image, and returns what a request for a session on it says. */
export async function addBenchSample(server: BenchServer): Promise<object> {
  await server.shell('true', server.newSession())
  const db = await openDatabase(join(benchData, 'carrel.db'))
  try {
    const { image } = await db.selectFrom('computers').select('image').executeTakeFirstOrThrow()
    return await addSample(db, { source: { image } })
  } finally {
    await db.destroy()
  }
}

/** Creates a session, and returns its path once it is ready. */
export async function createSession(server: BenchServer, sample: object): Promise<string> {
  const path = `/sessions/${String((await post(server, '/sessions', sample)).session_id)}`
  for (;;) {
    const { text } = await server.request('GET', path)
    const { status, error } = JSON.parse(text)
    if (status === 'ready') return path
    if (status !== 'creating') throw new Error(`${path} is ${status}: ${JSON.stringify(error)}`)
  }
}

/** Runs a command in a session, and returns its stdout once it has ended. */
export async function runInSession(server: BenchServer, path: string, command: string): Promise<string> {
  const { interaction_id: id } = await post(server, `${path}/exec`, { command })
  for (;;) {
    const { text } = await server.request('GET', `${path}/interactions/${String(id)}`)
    const { exit_code: exitCode, stdout } = JSON.parse(text)
    if (exitCode !== null) return stdout
  }
}
