import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GuestRoom } from './guest-room.ts'

const MiB = 1024 * 1024
const GiB = 1024 * MiB

/** A guest that uses so much, and the limits that were set. */
function guest(limitBytes: number, usedBytes = 0) {
  const own = { usedBytes, waitingBytes: 0, limits: [] as number[], isBroken: false }
  const setLimit = async (bytes: number) => {
    if (own.isBroken) throw new Error('broken')
    own.limits.push(bytes)
  }
  return Object.assign(own, {
    given: { limitBytes, gauge: () => ({ usedBytes: own.usedBytes, waitingBytes: own.waitingBytes }), setLimit },
  })
}

test('with plenty of room each has what it was promised, and that is set once', async () => {
  const room = new GuestRoom()
  const one = guest(10 * GiB)
  room.add('one', one.given)
  await room.deal(100 * GiB)
  await room.deal(90 * GiB)
  assert.deepEqual(one.limits, [10 * GiB])
})

test('what is left is never promised twice, whoever writes', async () => {
  const room = new GuestRoom()
  const guests = Array.from({ length: 20 }, (_, index) => guest(10 * GiB, index * MiB))
  for (const [index, { given }] of guests.entries()) room.add(String(index), given)
  for (let roomBytes = 4 * GiB; roomBytes > 0; roomBytes -= 100 * MiB) {
    // One of them has written what the disk has less.
    guests[roomBytes % 3]!.usedBytes += 100 * MiB
    await room.deal(roomBytes)
    const promised = guests.reduce((sum, { limits, usedBytes }) => sum + Math.max(0, limits.at(-1)! - usedBytes), 0)
    assert.ok(promised <= roomBytes + guests.length * MiB, `${promised} of ${roomBytes}`)
  }
})

test('who writes gets more than who does not, and nobody gets anything when nothing is left', async () => {
  const room = new GuestRoom()
  const [busy, quiet] = [guest(10 * GiB), guest(10 * GiB)]
  room.add('busy', busy.given)
  room.add('quiet', quiet.given)
  for (let look = 0; look < 30; look++) {
    busy.usedBytes += MiB
    await room.deal(GiB)
  }
  assert.ok(busy.limits.at(-1)! - busy.usedBytes > 2 * quiet.limits.at(-1)!)
  await room.deal(-GiB)
  assert.deepEqual([busy.limits.at(-1), quiet.limits.at(-1)], [busy.usedBytes, 0])
  assert.equal(room.limitOf('quiet'), 0)
  await room.deal(100 * GiB)
  assert.deepEqual([busy.limits.at(-1), quiet.limits.at(-1)], [10 * GiB, 10 * GiB])
})

test('a limit that cannot be set keeps no other from being set, and is tried again', async () => {
  const room = new GuestRoom()
  const [broken, sound] = [guest(GiB), guest(GiB)]
  broken.isBroken = true
  room.add('broken', broken.given)
  room.add('sound', sound.given)
  await assert.rejects(room.deal(100 * GiB), /broken/)
  assert.deepEqual(sound.limits, [GiB])
  broken.isBroken = false
  await room.deal(100 * GiB)
  assert.deepEqual(broken.limits, [GiB])
})

test('what guests have written and is on no disk yet is not dealt out, what others have is', async () => {
  const room = new GuestRoom()
  const one = guest(10 * GiB)
  room.add('one', one.given)
  Object.assign(one, { usedBytes: GiB, waitingBytes: GiB })
  await room.deal(4 * GiB, { waitingBytes: 3 * GiB })
  assert.equal(one.limits.at(-1), 4 * GiB)
  one.waitingBytes = 4 * GiB
  await room.deal(4 * GiB, { waitingBytes: 3 * GiB })
  assert.equal(one.limits.at(-1), 2 * GiB)
})

test('while others can still work, each can write a little', async () => {
  const room = new GuestRoom()
  const guests = Array.from({ length: 4 }, () => guest(GiB, 100 * MiB))
  for (const [index, { given }] of guests.entries()) room.add(String(index), given)
  await room.deal(-MiB, { minBytes: 64 * MiB })
  assert.deepEqual(
    guests.map(({ limits }) => limits.at(-1)),
    guests.map(() => 104 * MiB),
  )
  // It is no more by being used.
  for (const one of guests) one.usedBytes += 4 * MiB
  await room.deal(-MiB, { minBytes: 64 * MiB })
  assert.equal(guests[0]!.limits.at(-1), 104 * MiB)
})

test('one that leaves gets back what it was promised', async () => {
  const room = new GuestRoom()
  const one = guest(GiB)
  room.add('one', one.given)
  await room.deal(0)
  await room.remove('one')
  assert.deepEqual(one.limits, [0, GiB])
  assert.equal(room.limitOf('one'), undefined)
})
