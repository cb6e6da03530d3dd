import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../config/limits.ts'
import { Watchers } from './watchers.ts'

test('an account has a limit, and can open another watch when one ends', () => {
  const watchers = new Watchers()
  const ends = Array.from({ length: limits.watchesPerAccount }, () => watchers.begin('a'))
  assert.throws(() => watchers.begin('a'), { code: 'limit_reached' })
  watchers.begin('b')
  ends[0]!()
  ends[0]!()
  watchers.begin('a')
  assert.throws(() => watchers.begin('a'), { code: 'limit_reached' })
})

test('the server has a limit too', () => {
  const watchers = new Watchers()
  const ends = Array.from({ length: limits.watchesTotal }, (_, index) => watchers.begin(`account ${index}`))
  assert.throws(() => watchers.begin('another'), { code: 'no_capacity' })
  ends[0]!()
  watchers.begin('another')
})
