import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { openTestDatabase } from '../../../../test/support/test-database.ts'
import { testEngine } from '../../../../test/support/test-engine.ts'
import type { BuildProgress, DriverImages } from '../../../drivers/driver.ts'
import { MemoryDriver } from '../../../drivers/memory/memory-driver.ts'
import { MemoryHost } from '../../../drivers/memory/memory-host.ts'
import { CarrelError } from '../../../errors.ts'
import { createAccount } from '../../identity/accounts/owner.ts'
import { findComputer } from '../access/open-computer.ts'
import { beginDesktopImage, buildDesktopImage, imageBuildKind } from './build-desktop-image.ts'
import { beginDelete, beginStart } from './computer-operations.ts'
import { createComputer } from './create-computer.ts'
import { DesktopImage } from './desktop-image.ts'
import { sizeOf } from './sizes.ts'

/** An engine whose image is built as the test says: each attempt waits until the test ends it. */
async function engineWithout(t: TestContext) {
  const db = await openTestDatabase(t)
  const driver = MemoryDriver.open(new MemoryHost())
  t.after(() => driver.close())
  const ownerId = await createAccount(db, 'owner')
  const engine = await testEngine({ db, driver, ownerId, env: { CARREL_MEMORY_OVERCOMMIT: '100' } })
  const attempts: { progress: (step: BuildProgress) => void; end: (error?: Error) => void; background: unknown }[] = []
  const images: DriverImages = {
    list: () => driver.images.list(),
    idOf: (recipe) => driver.images.idOf(recipe),
    import: () => driver.images.import(),
    keep: (id) => driver.images.keep(id),
    remove: (id) => driver.images.remove(id),
    build: async (recipe, progress, options) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      attempts.push({ progress, background: options?.background, end: (error) => (error ? reject(error) : resolve()) })
      await promise
      return driver.images.build(recipe, progress)
    },
  }
  const recipe = '/recipes/desktop'
  engine.desktopImage = new DesktopImage(images, { id: await driver.images.idOf(recipe), recipe })
  const caller = { accountId: ownerId, tokenId: 'token' }
  const operationOf = (id: string) =>
    db.selectFrom('operations').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  const computer = async (id: string) => (await findComputer(engine, caller, { id }, 'manage'))!
  const create = () => createComputer(engine, caller, { size: sizeOf({}) })
  const nextAttempt = async (count: number) => {
    while (attempts.length < count) await new Promise(setImmediate)
    return attempts[count - 1]!
  }
  return { engine, create, computer, operationOf, nextAttempt }
}

test('a computer waits for its image, shows how far that is, and runs on it; another is deleted while it waits', async (t) => {
  const { engine, create, computer, operationOf, nextAttempt } = await engineWithout(t)
  const begun = await create()
  const other = await create()
  const { progress, end, background } = await nextAttempt(1)
  const second = await nextAttempt(2)
  assert.equal(background, true)
  progress({ step: 'Unpacking packages (3 of 9)', fraction: 0.5 })
  assert.equal(engine.operations.stepOf(begun.operation.id), 'Preparing the image: Unpacking packages (3 of 9)')
  assert.deepEqual(engine.desktopImage.preparation, {
    state: 'building',
    step: 'Unpacking packages (3 of 9)',
    fraction: 0.5,
  })
  const deletion = await beginDelete(engine, await computer(other.computer.id))
  await engine.operations.settled(deletion.operation.id)
  assert.equal((await operationOf(deletion.operation.id)).state, 'succeeded')
  assert.equal((await operationOf(begun.operation.id)).progress, 0.49)

  end()
  second.end()
  await engine.operations.settled(begun.operation.id)
  await engine.operations.settled(other.operation.id)
  const { row } = await computer(begun.computer.id)
  assert.deepEqual([row.state, row.image], ['running', engine.desktopImage.id])
  assert.equal(engine.operations.stepOf(begun.operation.id), undefined)
  assert.equal((await operationOf(other.operation.id)).state, 'failed')
})

test('a computer whose image cannot be built has failed with the reason, and its next start tries again', async (t) => {
  const { engine, create, computer, operationOf, nextAttempt } = await engineWithout(t)
  const begun = await create()
  ;(await nextAttempt(1)).end(new CarrelError('unavailable', 'Cannot build image "desktop": no mirror answers'))
  await engine.operations.settled(begun.operation.id)
  const failed = await computer(begun.computer.id)
  assert.deepEqual(
    [failed.row.state, failed.row.state_reason],
    ['failed', 'Cannot build image "desktop": no mirror answers'],
  )
  assert.match((await operationOf(begun.operation.id)).error!, /no mirror answers/)
  const started = await beginStart(engine, failed)
  ;(await nextAttempt(2)).end()
  await engine.operations.settled(started.operation.id)
  assert.equal((await computer(begun.computer.id)).row.state, 'running')
})

test('the image is built by one operation of the server, and not again once it exists', async (t) => {
  const { engine, operationOf, nextAttempt } = await engineWithout(t)
  await beginDesktopImage(engine)
  await beginDesktopImage(engine)
  ;(await nextAttempt(1)).end()
  const operations = await engine.db.selectFrom('operations').selectAll().execute()
  await engine.operations.settled(operations[0]!.id)
  assert.deepEqual(engine.desktopImage.preparation, { state: 'ready' })
  assert.equal((await operationOf(operations[0]!.id)).state, 'succeeded')
  await beginDesktopImage(engine)
  assert.deepEqual(
    (await engine.db.selectFrom('operations').select('kind').execute()).map(({ kind }) => kind),
    [imageBuildKind],
  )
})

test('what may pass is tried again, and the reason is shown meanwhile', async (t) => {
  const { engine, nextAttempt } = await engineWithout(t)
  const steps: (string | undefined)[] = []
  const built = buildDesktopImage(engine, (_, step) => steps.push(step), [1, 1])
  for (const attempt of [1, 2]) (await nextAttempt(attempt)).end(new CarrelError('unavailable', 'no mirror answers'))
  ;(await nextAttempt(3)).end()
  assert.deepEqual(await built, { image: engine.desktopImage.id })
  assert.ok(steps.includes('no mirror answers; next attempt in 0.001 s'))
})

test('a recipe with a fault is not tried again', async (t) => {
  const { engine, operationOf, nextAttempt } = await engineWithout(t)
  await beginDesktopImage(engine)
  ;(await nextAttempt(1)).end(new CarrelError('invalid_request', 'setup.sh ended with exit code 1'))
  const { id } = await engine.db.selectFrom('operations').select('id').executeTakeFirstOrThrow()
  await engine.operations.settled(id)
  assert.match((await operationOf(id)).error!, /setup\.sh/)
  assert.deepEqual(engine.desktopImage.preparation, { state: 'failed', reason: 'setup.sh ended with exit code 1' })
})
