import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { limits } from '../../../config/limits.ts'
import { HelperStates } from '../../../helper-states.ts'
import { watchPool } from './watch-pool.ts'

test('a pool that turned read-only is degraded until it is writable again', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const directory = mkdtempSync(join(tmpdir(), 'carrel-pool-'))
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', directory])
  const helpers = new HelperStates()
  const stop = watchPool(directory, helpers)
  t.after(() => {
    stop()
    execFileSync('umount', [directory])
    rmdirSync(directory)
  })
  const statusChange = async () => {
    const before = helpers.all()[0]!.status
    for (let tries = 0; tries < 100 && helpers.all()[0]!.status === before; tries++) {
      t.mock.timers.tick(limits.poolCheckMs)
      await delay(5)
    }
    return helpers.all()[0]!
  }
  assert.equal(helpers.all()[0]!.status, 'ok')
  execFileSync('mount', ['-o', 'remount,ro', directory])
  const { name, status, reason } = await statusChange()
  assert.deepEqual([name, status, reason], ['storage', 'degraded', 'it is read-only'])
  execFileSync('mount', ['-o', 'remount,rw', directory])
  assert.equal((await statusChange()).status, 'ok')
})
