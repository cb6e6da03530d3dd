import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { mountTargets } from '../../src/drivers/local/system/own-mounts.ts'
import { newSession, TestServer, until } from '../support/server.ts'
import { monitorPid, paths } from './host-traces.ts'

test('a disk that was mounted when the server started is free once the host unmounts it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'carrel-disk-'))
  const image = join(folder, 'image')
  const target = join(folder, 'mount')
  writeFileSync(image, '')
  truncateSync(image, 4 * 1024 * 1024)
  mkdirSync(target)
  execFileSync('mkfs.ext4', ['-q', image])
  execFileSync('mount', ['-o', 'loop', image, target])
  let isMounted = true
  t.after(() => {
    if (isMounted) execFileSync('umount', [target])
    rmSync(folder, { recursive: true })
  })
  const holders = () => execFileSync('losetup', ['-j', image], { encoding: 'utf8' })
  assert.notEqual(holders(), '')

  const server = await TestServer.start()
  try {
    assert.equal((await server.shell('echo fine', { sessionId: newSession() })).stdout, 'fine\n')
    execFileSync('umount', [target])
    isMounted = false
    assert.equal(await until(holders, (held) => held === ''), '')
    assert.equal((await server.shell('echo fine', { sessionId: newSession() })).stdout, 'fine\n')
    // Mounts of the server are still visible to all its programs.
    const roots = (of: number | 'self') => {
      const targets = mountTargets(readFileSync(`/proc/${of}/mountinfo`, 'utf8'))
      return new Set(targets.filter((target) => target.startsWith(`${paths.mounts}/root/`)))
    }
    assert.deepEqual(roots(monitorPid()), roots('self'))
    assert.ok(roots('self').size >= 2)
  } finally {
    await server.stop()
  }
})
