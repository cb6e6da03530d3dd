import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertMappedUser } from './mapped-user.ts'

test('ids of the computer are accepted', () => {
  assertMappedUser({ user: { uid: 0, gid: 65_535, additionalGids: [1, 1000] } })
  assertMappedUser({ user: { uid: 1000, gid: 1000 } })
})

for (const user of [
  { uid: 4_294_967_295, gid: 0 },
  { uid: -1, gid: 0 },
  { uid: 65_536, gid: 0 },
  { uid: 0.5, gid: 0 },
  { uid: '0', gid: 0 },
  { uid: Number.NaN, gid: 0 },
  { uid: 0, gid: 4_294_967_295 },
  { uid: 0, gid: 0, additionalGids: [5, 4_294_967_295] },
  { uid: 0 },
  {},
])
  test(`${JSON.stringify(user)} is refused before the runtime`, () => {
    assert.throws(() => assertMappedUser({ user }), { code: 'conflict' })
  })

test('a process object without a user is refused', () => {
  assert.throws(() => assertMappedUser({}), { code: 'conflict' })
})
