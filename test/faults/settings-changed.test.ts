import assert from 'node:assert/strict'
import { test } from 'node:test'
import { skipsWithoutDiskLimits } from '../support/disk-limits.ts'
import { newSession, TestServer, until } from '../support/server.ts'
import { computerRows } from './host-traces.ts'

test('a warm computer with other limits than the current settings is not assigned', async (t) => {
  const first = await TestServer.start({ env: { CARREL_WARM_COMPUTERS: '1', CARREL_COMPUTER_DISK_MIB: '600' } })
  if (skipsWithoutDiskLimits(t, first)) return void (await first.stop())
  const isWarm = ({ account_id, state }: { account_id: string | null; state: string }) =>
    account_id === null && state === 'running'
  const warm = (await until(computerRows, (rows) => rows.some(isWarm))).find(isWarm)!
  await first.stop()

  const next = await TestServer.start({ env: { CARREL_WARM_COMPUTERS: '1', CARREL_COMPUTER_DISK_MIB: '300' } })
  try {
    assert.equal(
      (await next.shell('df -m --output=size / | tail -1', { sessionId: newSession() })).stdout.trim(),
      '300',
    )
    assert.ok(!(await computerRows()).some(({ id }) => id === warm.id))
  } finally {
    await next.stop()
  }
})

test('the log reports a variable that is not a setting, with the nearest setting', async () => {
  const server = await TestServer.start({ env: { CARREL_WARM_COMPUTER: '1' } })
  try {
    assert.match(server.log(), /"level":40,[^\n]*CARREL_WARM_COMPUTER is not a setting[^\n]*CARREL_WARM_COMPUTERS/)
    assert.equal(server.log().split('is not a setting').length, 2, 'and no other')
  } finally {
    await server.stop()
  }
})
