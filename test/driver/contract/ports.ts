import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settles } from '../../support/settles.ts'
import { type Part } from '../subject.ts'

export const describePorts: Part = (subject) => {
  test('dial() throws upstream_unreachable when nothing listens on the port, and conflict for a stopped computer', async (t) => {
    const id = await subject().computer(t)
    assert.deepEqual(await subject().driver.listeners(id), [])
    await assert.rejects(settles(subject().driver.dial(id, 4999)), { code: 'upstream_unreachable' })
    await subject().driver.stop(id, 0)
    await assert.rejects(subject().driver.dial(id, 4999), { code: 'conflict' })
    await assert.rejects(subject().driver.listeners(id), { code: 'conflict' })
  })
}
