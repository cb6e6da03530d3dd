import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CarrelApiError, CarrelConnectionError, CarrelTimeoutError } from './errors.ts'
import { retryDelayMs } from './retry.ts'

function refusal(status: number, code: string, retryAfter?: string) {
  return new CarrelApiError(
    status,
    { error: 'no', code },
    { get: (name) => (name === 'retry-after' ? (retryAfter ?? null) : null) },
  )
}
const cut = new CarrelConnectionError('http://x', 'cut', { code: 'ECONNRESET' })
const refused = new CarrelConnectionError('http://x', 'refused', { code: 'ECONNREFUSED' })

test('a broken connection is retried only if repeating the request is harmless', () => {
  assert.ok(retryDelayMs(cut, 0, 'repeatable') !== undefined)
  assert.equal(retryDelayMs(cut, 0, 'refused'), undefined)
  assert.equal(retryDelayMs(cut, 0, 'never'), undefined)
})

test('a server that does not listen is not retried', () => {
  assert.equal(retryDelayMs(refused, 0, 'repeatable'), undefined)
})

test('503 is retried after the time that the server asks for', () => {
  const delayMs = retryDelayMs(refusal(503, 'UNAVAILABLE', '2'), 0, 'refused')
  assert.ok(delayMs !== undefined && delayMs >= 2000)
  assert.ok(retryDelayMs(refusal(503, 'UNAVAILABLE'), 0, 'refused') !== undefined)
})

test('429 is retried only if the server says when', () => {
  assert.ok(retryDelayMs(refusal(429, 'LIMIT_REACHED', '0'), 0, 'refused') !== undefined)
  assert.equal(retryDelayMs(refusal(429, 'LIMIT_REACHED'), 0, 'refused'), undefined)
})

test('a Retry-After of minutes is left to the caller', () => {
  assert.equal(retryDelayMs(refusal(503, 'NO_CAPACITY', '120'), 0, 'repeatable'), undefined)
})

test('an error that a retry cannot change is not retried', () => {
  for (const error of [
    refusal(404, 'NOT_FOUND'),
    refusal(503, 'IMAGE_MISSING'),
    // The process is running, and a retry would run it twice.
    new CarrelApiError(503, { error: 'no', code: 'PROCESS_GOES_ON', retryable: true }),
    refusal(500, 'INTERNAL'),
    new CarrelTimeoutError(1),
  ]) {
    assert.equal(retryDelayMs(error, 0, 'repeatable'), undefined, error.message)
  }
})

test('delays grow and stay bounded', () => {
  const pauses = Array.from({ length: 20 }, (_, attempt) => retryDelayMs(cut, attempt, 'repeatable') ?? 0)
  assert.ok((pauses[0] ?? 0) <= 100)
  assert.ok((pauses[6] ?? 0) > 1000)
  assert.ok(Math.max(...pauses) <= 3000)
})
