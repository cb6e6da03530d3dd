import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CliHome } from '../../../src/cli/testing/run-cli.ts'
import { readNodeFile } from '../../../src/start/node-file.ts'
import { newSession } from '../../support/server.ts'
import { serverPlace } from '../../support/server-database.ts'
import { TestNode } from '../chaos/test-node.ts'

const env = { CARREL_SECRET_KEY: randomBytes(32).toString('base64') }

test('a server whose node the operator has removed does not start, and leaves its computers as they are', async (t) => {
  const [kept, removed] = await Promise.all([
    TestNode.create({ name: 'one', place: 1, env }),
    TestNode.create({ name: 'two', place: 3, env }),
  ])
  t.after(() => Promise.all([kept.remove(), removed.remove()]))
  await Promise.all([kept.start(), removed.start()])
  const [server, gone] = [await kept.server(), await removed.server()]
  const sessionId = newSession()
  await gone.shell('echo old > file', { sessionId })
  await gone.done('/process/start', { command: 'sleep 1000', sessionId })
  await removed.stop('SIGTERM')

  using home = new CliHome()
  const place = { ...(await serverPlace()), CARREL_DATA: kept.paths.data }
  const nodes = (...args: string[]) => home.run(['nodes', ...args], { env: place })
  const { nodeId } = readNodeFile(removed.paths.data)!
  assert.match((await nodes('list')).stdout, new RegExp(`${nodeId}.*\n  not served since .*; 1 computer\n`))
  assert.equal((await nodes('remove', nodeId)).stdout, 'Removed. 1 computer is recorded as lost.\n')
  assert.doesNotMatch((await nodes('list')).stdout, new RegExp(nodeId))

  const computers = () => readdirSync(join(removed.paths.runtime, 'runtime'))
  const before = computers()
  assert.equal(before.length, 1)
  await assert.rejects(removed.start(), new RegExp(`knows nothing of its node \\(${nodeId}\\): it was removed, or `))
  assert.deepEqual(computers(), before)
  assert.equal((await server.shell('cat file || echo new', { sessionId })).stdout, 'new\n')
})
