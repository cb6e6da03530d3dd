import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../config/limits.ts'
import { Watchers } from './watchers.ts'

test('an account has its limit, and gets room when one leaves', () => {
  const watchers = new Watchers()
  const leave = Array.from({ length: limits.watchesPerAccount }, () => watchers.enter('a'))
  assert.throws(() => watchers.enter('a'), { code: 'limit_reached' })
  watchers.enter('b')
  leave[0]!()
  leave[0]!()
  watchers.enter('a')
  assert.throws(() => watchers.enter('a'), { code: 'limit_reached' })
})

test('the server has one too', () => {
  const watchers = new Watchers()
  const leave = Array.from({ length: limits.watchesTotal }, (_, index) => watchers.enter(`account ${index}`))
  assert.throws(() => watchers.enter('another'), { code: 'no_capacity' })
  leave[0]!()
  watchers.enter('another')
})
