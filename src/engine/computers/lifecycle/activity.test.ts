import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Activity } from './activity.ts'

test('a computer is in use until everything that began has ended', () => {
  const activity = new Activity()
  const first = activity.begin('a')
  const second = activity.begin('a')
  assert.equal(activity.inUse('b'), false)
  first()
  first()
  assert.equal(activity.inUse('a'), true)
  second()
  assert.equal(activity.inUse('a'), false)
})

test('its last use is when something ended', () => {
  const activity = new Activity()
  assert.equal(activity.lastUsedAtMs('a'), undefined)
  const before = Date.now()
  activity.begin('a')()
  const last = activity.lastUsedAtMs('a')!
  assert.ok(last >= before && last <= Date.now())
  activity.forget('a')
  assert.equal(activity.lastUsedAtMs('a'), undefined)
})

test('a lease cannot end while something uses the computer, and a caller that comes after the end began sees that', () => {
  const activity = new Activity()
  const done = activity.begin('a')
  assert.equal(activity.beginEnding('a'), false)
  assert.equal(activity.isEnding('a'), false)
  done()
  assert.equal(activity.beginEnding('a'), true)
  activity.begin('a')
  assert.equal(activity.isEnding('a'), true)
  activity.ended('a')
  assert.equal(activity.isEnding('a'), false)
})
