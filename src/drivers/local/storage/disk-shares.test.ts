import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiskShares } from './disk-shares.ts'

const MiB = 1024 * 1024
const GiB = 1024 * MiB

/** A guest that uses `usedBytes`, and the limits that were set for it. */
function guest(limitBytes: number, usedBytes = 0) {
  const own = { usedBytes, dirtyBytes: 0, limits: [] as number[], isBroken: false }
  const setLimit = async (bytes: number) => {
    if (own.isBroken) throw new Error('broken')
    own.limits.push(bytes)
  }
  return Object.assign(own, {
    given: { limitBytes, gauge: () => ({ usedBytes: own.usedBytes, dirtyBytes: own.dirtyBytes }), setLimit },
  })
}

test('with plenty of space each guest has its own limit, which is set once', async () => {
  const room = new DiskShares()
  const one = guest(10 * GiB)
  room.add('one', one.given)
  await room.distribute(100 * GiB)
  await room.distribute(90 * GiB)
  assert.deepEqual(one.limits, [10 * GiB])
})

test('the shares never add up to more than what is left, whichever guest writes', async () => {
  const room = new DiskShares()
  const guests = Array.from({ length: 20 }, (_, index) => guest(10 * GiB, index * MiB))
  for (const [index, { given }] of guests.entries()) room.add(String(index), given)
  for (let headroomBytes = 4 * GiB; headroomBytes > 0; headroomBytes -= 100 * MiB) {
    // One of them has written the difference.
    guests[headroomBytes % 3]!.usedBytes += 100 * MiB
    await room.distribute(headroomBytes)
    const promised = guests.reduce((sum, { limits, usedBytes }) => sum + Math.max(0, limits.at(-1)! - usedBytes), 0)
    assert.ok(promised <= headroomBytes + guests.length * MiB, `${promised} of ${headroomBytes}`)
  }
})

test('a guest that writes gets more than one that does not, and neither gets anything when nothing is left', async () => {
  const room = new DiskShares()
  const [busy, quiet] = [guest(10 * GiB), guest(10 * GiB)]
  room.add('busy', busy.given)
  room.add('quiet', quiet.given)
  for (let check = 0; check < 30; check++) {
    busy.usedBytes += MiB
    await room.distribute(GiB)
  }
  assert.ok(busy.limits.at(-1)! - busy.usedBytes > 2 * quiet.limits.at(-1)!)
  await room.distribute(-GiB)
  assert.deepEqual([busy.limits.at(-1), quiet.limits.at(-1)], [busy.usedBytes, 0])
  assert.equal(room.limitOf('quiet'), 0)
  await room.distribute(100 * GiB)
  assert.deepEqual([busy.limits.at(-1), quiet.limits.at(-1)], [10 * GiB, 10 * GiB])
})

test('a limit that cannot be set does not stop the others from being set, and is retried', async () => {
  const room = new DiskShares()
  const [broken, sound] = [guest(GiB), guest(GiB)]
  broken.isBroken = true
  room.add('broken', broken.given)
  room.add('sound', sound.given)
  await assert.rejects(room.distribute(100 * GiB), /broken/)
  assert.deepEqual(sound.limits, [GiB])
  broken.isBroken = false
  await room.distribute(100 * GiB)
  assert.deepEqual(broken.limits, [GiB])
})

test('dirty data of guests is not distributed, and dirty data of others is', async () => {
  const room = new DiskShares()
  const one = guest(10 * GiB)
  room.add('one', one.given)
  Object.assign(one, { usedBytes: GiB, dirtyBytes: GiB })
  await room.distribute(4 * GiB, { dirtyBytes: 3 * GiB })
  assert.equal(one.limits.at(-1), 4 * GiB)
  one.dirtyBytes = 4 * GiB
  await room.distribute(4 * GiB, { dirtyBytes: 3 * GiB })
  assert.equal(one.limits.at(-1), 2 * GiB)
})

test('each guest can write a little while there is a minimum for all', async () => {
  const room = new DiskShares()
  const guests = Array.from({ length: 4 }, () => guest(GiB, 100 * MiB))
  for (const [index, { given }] of guests.entries()) room.add(String(index), given)
  await room.distribute(-MiB, { minBytes: 64 * MiB })
  assert.deepEqual(
    guests.map(({ limits }) => limits.at(-1)),
    guests.map(() => 104 * MiB),
  )
  // Using it does not add to it.
  for (const one of guests) one.usedBytes += 4 * MiB
  await room.distribute(-MiB, { minBytes: 64 * MiB })
  assert.equal(guests[0]!.limits.at(-1), 104 * MiB)
})

test('a guest that is removed gets its own limit back', async () => {
  const room = new DiskShares()
  const one = guest(GiB)
  room.add('one', one.given)
  await room.distribute(0)
  await room.remove('one')
  assert.deepEqual(one.limits, [0, GiB])
  assert.equal(room.limitOf('one'), undefined)
})
