import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CarrelError } from '../../errors.ts'
import type { Context } from '../context.ts'
import { failInterrupted, getOperation, startOperation } from './operations.ts'
import { openTestDatabase } from '../../../test/support/test-database.ts'

async function settled(engine: Pick<Context, 'db'>, id: string) {
  for (;;) {
    const row = await getOperation(engine, 'a', id)
    if (row.state !== 'running') return row
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('an operation reports its progress, its result and its failure', async (t) => {
  const engine = { db: await openTestDatabase(t), node: { id: 'node', epoch: 1 } }
  const good = await startOperation(engine, 'a', 'image.build', async (progress) => {
    progress(0.5)
    return { image: 'x' }
  })
  const bad = await startOperation(engine, 'a', 'image.build', () =>
    Promise.reject(new CarrelError('no_capacity', 'Cannot build: no room')),
  )
  const { state, progress, result } = await settled(engine, good)
  assert.deepEqual({ state, progress, result }, { state: 'succeeded', progress: 1, result: '{"image":"x"}' })
  assert.deepEqual(JSON.parse((await settled(engine, bad)).error!), {
    code: 'no_capacity',
    message: 'Cannot build: no room',
  })
})

test('progress that is reported after the end changes nothing', async (t) => {
  const engine = { db: await openTestDatabase(t), node: { id: 'node', epoch: 1 } }
  let report: (fraction: number) => void = () => {}
  const id = await startOperation(engine, 'a', 'image.build', async (progress) => {
    report = progress
  })
  const row = await settled(engine, id)
  report(0.5)
  assert.deepEqual(await getOperation(engine, 'a', id), row)
})

test("getOperation() does not find another account's operation", async (t) => {
  const engine = { db: await openTestDatabase(t), node: { id: 'node', epoch: 1 } }
  const id = await startOperation(engine, 'a', 'image.build', () => Promise.resolve())
  await assert.rejects(getOperation(engine, 'b', id), { code: 'not_found' })
})

test('an operation that a restart interrupts has failed, with the reason', async (t) => {
  const engine = { db: await openTestDatabase(t), node: { id: 'node', epoch: 1 } }
  const id = await startOperation(engine, 'a', 'image.build', () => new Promise(() => {}))
  await failInterrupted(engine)
  const { state, error } = await getOperation(engine, 'a', id)
  assert.equal(state, 'failed')
  assert.match(error!, /restarted/)
})
