import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { openTestDatabase } from '../../../../test/support/test-database.ts'
import { testEngine } from '../../../../test/support/test-engine.ts'
import { MemoryDriver } from '../../../drivers/memory/memory-driver.ts'
import { MemoryHost } from '../../../drivers/memory/memory-host.ts'
import { createAccount } from '../../identity/accounts/owner.ts'
import { openComputer } from '../access/open-computer.ts'
import { listProcesses } from '../processes/list-processes.ts'
import { Desktops } from './desktops.ts'

/** A computer whose desktop is a shell script; without one, its image has no desktop. */
async function computerWith(t: TestContext, script?: string) {
  const db = await openTestDatabase(t)
  const driver = MemoryDriver.open(new MemoryHost())
  t.after(() => driver.close())
  const accountId = await createAccount(db, 'owner')
  const engine = await testEngine({ db, driver, ownerId: accountId })
  const started: string[][] = []
  const exec = driver.exec.bind(driver)
  if (script !== undefined)
    driver.exec = (id, spec) => {
      started.push(spec.argv)
      return exec(id, { ...spec, argv: ['sh', '-c', script] })
    }
  const computer = await openComputer(engine, { accountId, tokenId: 'token' }, { name: 'desk' }, 'run')
  const end = async () => {
    for (const process of driver.processesOn(computer.id)) await process.kill('SIGKILL', 'tree')
  }
  return { engine, driver, computer, started, end }
}

test('the desktop of a computer is started once, also for a later server, and shown in no list', async (t) => {
  const { engine, computer, started, end } = await computerWith(t, 'echo starting; echo ready; sleep 1000')
  const [first] = await Promise.all([engine.desktops.open(engine, computer), engine.desktops.open(engine, computer)])
  await new Desktops().open(engine, computer)
  assert.deepEqual(started, [['carrel-desktop', '5900', '300']])
  assert.deepEqual(await listProcesses(engine, computer, { all: true }), [])
  await end()
  await first.ended
  const again = await engine.desktops.open(engine, computer)
  assert.equal(started.length, 2)
  await end()
  await again.ended
})

test('open() says what is wrong: an image without a desktop, and a screen that does not start', async (t) => {
  const without = await computerWith(t)
  await assert.rejects(without.engine.desktops.open(without.engine, without.computer), { code: 'package_missing' })
  const { engine, computer } = await computerWith(t, "printf '\\033]0;x\\007cannot start the screen\\r\\n'; exit 1")
  await assert.rejects(engine.desktops.open(engine, computer), {
    code: 'unavailable',
    message: 'Cannot open the desktop: ]0;xcannot start the screen',
  })
})
