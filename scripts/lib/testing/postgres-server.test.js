import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { Client } from 'pg'
import { project } from '../project.js'

/** Starts a run with a server, and connects to that. @param {import('node:test').TestContext} t */
async function run(t) {
  const program = join(import.meta.dirname, 'run-postgres.js')
  const child = spawn(project.node, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const [url] = await once(createInterface({ input: child.stdout }), 'line')
  const folder = String(new URL(url).searchParams.get('host'))
  const client = new Client({ connectionString: url })
  await client.connect()
  // It says with an error that the server has ended, and then that the connection has.
  client.on('error', () => {})
  const disconnected = new Promise((resolve) => client.once('end', resolve))
  const ends = Promise.all([disconnected, once(child, 'close')])
  return { child, folder, ends }
}

test('the server ends with its run, and its files are removed', async (t) => {
  const { child, folder, ends } = await run(t)
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  child.stdin.end()
  await ends
  assert.ok(!existsSync(folder))
})

test('the server of a run that is killed ends, too, and the next run removes its files', async (t) => {
  const killed = await run(t)
  killed.child.kill('SIGKILL')
  await killed.ends
  assert.ok(existsSync(killed.folder))
  const next = await run(t)
  assert.ok(!existsSync(killed.folder))
  next.child.stdin.end()
  await next.ends
})
