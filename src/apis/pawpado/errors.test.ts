import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CarrelError } from '../../errors.ts'
import { envelope } from './errors.ts'

test("codes and messages follow Pawpado's document", () => {
  const body = (...error: ConstructorParameters<typeof CarrelError>) => envelope.body(new CarrelError(...error))
  assert.deepEqual(body('unauthenticated', 'Cannot authenticate: the token has expired'), {
    error: 'UNAUTHENTICATED',
    message: 'Missing or invalid bearer token',
  })
  assert.deepEqual(body('out_of_credits', 'x', { details: { minimumMicros: 90_000 } }), {
    error: 'INSUFFICIENT_CREDITS',
    message: 'Balance is below the 15-minute minimum to start a session',
  })
  assert.equal(body('out_of_credits', 'There is none').message, 'There is none')
  assert.equal(body('no_capacity', 'x').error, 'AWS_CAPACITY')
  assert.equal(body('rate_limited', 'x').error, 'RATE_LIMITED')
  assert.equal(body('not_found', 'x').error, 'NOT_FOUND')
})

test('an error about the body names the field, whichever check found it, and contains nothing else', () => {
  const details = { field: 'amountCents', minimum: 100 }
  assert.deepEqual(envelope.body(new CarrelError('invalid_request', 'it is too little', { details })), {
    error: 'VALIDATION_ERROR',
    message: 'amountCents: it is too little',
  })
  const named = 'Cannot use field "amountCents": it is too little'
  assert.equal(envelope.body(new CarrelError('invalid_request', named, { details })).message, named)
})
