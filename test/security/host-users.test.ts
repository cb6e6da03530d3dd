import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { computerRow, paths } from '../faults/host-traces.ts'
import { newSession, testDataDirectory, TestServer } from '../support/server.ts'

const nobody = 65_534
let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server.stop())

test('another user of the host can read neither a computer nor the database, nor run setuid programs of a guest', async () => {
  const sessionId = newSession()
  const made = await server.shell(
    'echo secret > /workspace/secret; cp /usr/bin/id /workspace/id; sudo chown root /workspace/id; sudo chmod 4755 /workspace/id',
    { sessionId },
  )
  assert.equal(made.exitCode, 0)
  const { id } = (await computerRow(sessionId))!
  const workspaces = [
    join(testDataDirectory, 'pool/computers', id, 'upper/workspace'),
    join(paths.root(id), 'workspace'),
  ]
  const files = [
    ...workspaces.map((folder) => join(folder, 'secret')),
    ...['carrel.db', 'carrel.db-wal', 'owner.token', 'monitor.log'].map((name) => join(testDataDirectory, name)),
    join(paths.guestFiles, 'resolv.conf'),
  ]
  const assertClosed = () => {
    for (const file of files) {
      assert.ok(existsSync(file), file)
      assert.match(asNobody('cat', file), /Permission denied/)
    }
    for (const folder of workspaces) assert.match(asNobody(join(folder, 'id')), /EACCES/)
  }
  assertClosed()
  // The mode of the data directory alone must not be what protects them.
  const { mode } = statSync(testDataDirectory)
  chmodSync(testDataDirectory, 0o755)
  try {
    assert.doesNotMatch(asNobody('ls', testDataDirectory), /Permission denied/)
    assertClosed()
  } finally {
    chmodSync(testDataDirectory, mode)
  }
})

function asNobody(program: string, ...args: string[]): string {
  const { error, stdout, stderr } = spawnSync(program, args, { uid: nobody, gid: nobody, encoding: 'utf8' })
  return `${error?.message ?? ''}${stderr}${stdout?.slice(0, 200) ?? ''}`
}
