import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../config/limits.ts'
import { OpenStreams } from './open-streams.ts'

test('an account has a limited number of streams, whatever others have open', () => {
  const streams = new OpenStreams()
  const close = Array.from({ length: limits.gatewayStreamsPerAccount }, () => streams.open('a'))
  assert.throws(() => streams.open('a'), { code: 'limit_reached' })
  streams.open('b')
  close[0]!()
  streams.open('a')
  assert.throws(() => streams.open('a'), { code: 'limit_reached' })
})
