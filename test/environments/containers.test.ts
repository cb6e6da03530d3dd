import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { readRecord } from '../../src/drivers/local/monitor/process-record.ts'
import { addSample } from '../support/sample.ts'
import { testDataDirectory, TestServer, until } from '../support/server.ts'
import { withDatabase } from '../support/with-database.ts'

/** What only containers show of sessions. */
describe('a session in a container', { timeout: 300_000 }, () => {
  let server: TestServer
  let id: string
  before(async () => {
    server = await TestServer.start()
    await server.shell('true')
    const { image } = await withDatabase((db) =>
      db.selectFrom('computers').select('image').where('lifecycle', '=', 'sandbox').executeTakeFirstOrThrow(),
    )
    const sample = await withDatabase((db) => addSample(db, { source: { image }, workdir: '/app', user: 'root' }))
    const { status, body } = await server.post('/sessions', sample)
    assert.equal(status, 200, JSON.stringify(body))
    id = body.session_id
    await until(
      async () => (await server.call('GET', `/sessions/${id}`)).body,
      (session) => session.status === 'ready',
    )
  })
  after(async () => {
    await server.call('DELETE', `/sessions/${id}`)
    await server.stop()
  })

  const begin = async (command: string, more: object = {}) => {
    const { status, body } = await server.post(`/sessions/${id}/exec`, { command, ...more })
    assert.equal(status, 200, JSON.stringify(body))
    return body.interaction_id as string
  }
  const ended = async (interaction: string) =>
    (
      await until(
        () => server.call('GET', `/sessions/${id}/interactions/${interaction}?wait_seconds=20`),
        ({ body }) => body.exit_code !== null,
      )
    ).body
  const exec = async (command: string, more: object = {}) => ended(await begin(command, more))

  test('a persistent shell goes on where the command before left it', async () => {
    const shell = { shell: 'persistent' }
    const first = await exec('cd /usr; export A="two\nlines"; f() { echo "f $1"; }; set -u; exit 3', shell)
    assert.equal(first.exit_code, 3)
    const second = await exec('pwd; bash -c "echo \\"$A\\""; f x; echo $-', shell)
    assert.deepEqual([second.stdout, second.stderr], ['/usr\ntwo\nlines\nf x\nhuBc\n', ''])
    assert.equal((await exec('pwd')).stdout, '/app\n')
    const busy = await begin('read -r _ < <(sleep 1000)', shell)
    assert.equal((await server.post(`/sessions/${id}/exec`, { command: 'true', ...shell })).status, 409)
    await exec('pkill sleep')
    await ended(busy)
  })

  test('at its time limit a command ends with everything that it started', async () => {
    const done = await exec('(setsid sleep 4321 &); sleep 1234', { command_timeout: 1 })
    assert.deepEqual([done.exit_code, done.reason], [124, 'timeout'])
    assert.equal((await exec('pgrep -f "sleep (4321|1234)"')).exit_code, 1)
  })

  test('of a flood of output, 10 MiB of each stream are returned and flagged, and 32 KiB outlive the session', async () => {
    const done = await exec('head -c 12000000 /dev/zero | tr "\\0" x; echo end')
    assert.deepEqual([done.stdout.length, done.truncated], [10 * 1024 * 1024, true])
    assert.ok(done.stdout.endsWith('xend\n'))
    const row = await withDatabase((db) =>
      db.selectFrom('interactions').selectAll().where('id', '=', done.interaction_id).executeTakeFirstOrThrow(),
    )
    assert.deepEqual([row.stdout!.length, row.truncated], [32 * 1024, 1])
  })

  test('a directory goes up as a tar, is merged, and comes down with its modes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'carrel-session-'))
    try {
      mkdirSync(join(folder, 'up/sub'), { recursive: true })
      writeFileSync(join(folder, 'up/sub/run.sh'), '#!/bin/sh\n')
      chmodSync(join(folder, 'up/sub/run.sh'), 0o751)
      symlinkSync('/etc/passwd', join(folder, 'up/link'))
      await exec('mkdir -p /app/tree/sub; echo mine > /app/tree/sub/mine')
      const tar = execFileSync('tar', ['-c', '-C', join(folder, 'up'), '.'])
      const address = `${server.url}/sessions/${id}/files?path=tree`
      const authorization = { authorization: `Bearer ${server.token}` }
      const headers = { ...authorization, 'content-type': 'application/x-tar' }
      const put = await fetch(address, { method: 'PUT', headers, body: new Uint8Array(tar) })
      assert.equal(put.status, 200, await put.text())
      const listing = await exec('cd tree && stat -c "%a %U %n" sub/run.sh && cat sub/mine && readlink link')
      assert.equal(listing.stdout, '751 root sub/run.sh\nmine\n/etc/passwd\n')
      const got = await fetch(address, { headers: authorization })
      assert.equal(got.headers.get('content-type'), 'application/x-tar')
      mkdirSync(join(folder, 'down'))
      execFileSync('tar', ['-xp', '-C', join(folder, 'down')], { input: new Uint8Array(await got.arrayBuffer()) })
      assert.equal(statSync(join(folder, 'down/sub/run.sh')).mode & 0o7777, 0o751)
      const bad = await fetch(address, { method: 'PUT', headers, body: 'this is no archive'.repeat(100) })
      assert.equal(bad.status, 422)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('kill -9 of the server loses no line and no exit code, and the time to live goes on', async () => {
    const lines = 'for i in $(seq 1 3000); do echo "line $i"; done'
    const [waits, ends] = [
      await begin(`${lines}; until [ -e go ]; do sleep 0.05; done; echo late; exit 7`),
      await begin(`sleep 0.5; ${lines}; exit 9`),
    ]
    await server.stop('SIGKILL')
    // One of them ends while no server runs.
    await until(() => readRecord(join(testDataDirectory, 'processes', ends)), Boolean)
    server = await TestServer.start()
    const whole = Array.from({ length: 3000 }, (_, at) => `line ${at + 1}\n`).join('')
    const second = await ended(ends)
    assert.deepEqual([second.exit_code, second.status], [9, 'completed'])
    assert.equal(second.stdout, whole)
    assert.equal((await server.call('GET', `/sessions/${id}`)).body.status, 'ready')
    await exec('touch go')
    const first = await ended(waits)
    assert.deepEqual([first.exit_code, first.stdout], [7, `${whole}late\n`])
    // The next server ends the session in its second.
    await server.stop('SIGKILL')
    const expiresAt = Date.now() + 3000
    await withDatabase((db) => db.updateTable('sessions').set({ expires_at: expiresAt }).where('id', '=', id).execute())
    server = await TestServer.start()
    const session = (
      await until(
        () => server.call('GET', `/sessions/${id}`),
        ({ body }) => body.status === 'terminated',
      )
    ).body
    assert.equal(session.error.code, 'EXPIRED')
    assert.ok(Date.parse(session.ended_at) >= expiresAt)
    assert.equal((await server.post(`/sessions/${id}/exec`, { command: 'true' })).status, 409)
  })
})
