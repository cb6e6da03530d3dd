import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DatabaseError } from 'pg'
import { CarrelError } from '../../errors.ts'
import { failureOf, isConflict } from './failures.ts'

function answer(code: string): DatabaseError {
  return Object.assign(new DatabaseError('secret-host said no', 19, 'error'), { code })
}

const codeOf = (error: unknown) => (error instanceof CarrelError ? error.code : 'itself')

for (const [what, error, expected] of [
  ['a disk without room', answer('53100'), 'no_capacity'],
  ['too many connections', answer('53300'), 'no_capacity'],
  ['an operator who ends it', answer('57P01'), 'unavailable'],
  ['a statement that takes too long', answer('57014'), 'unavailable'],
  ['a row that stays locked', answer('55P03'), 'unavailable'],
  ['a transaction that was idle for too long', answer('25P03'), 'unavailable'],
  ['a refused connection', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'unavailable'],
  ['a connection that ended', new Error('Connection terminated unexpectedly'), 'unavailable'],
  ['no free connection', new Error('timeout exceeded when trying to connect'), 'unavailable'],
  ['a statement that is wrong', answer('42601'), 'itself'],
  ['a mistake in a program', new TypeError('x is not a function'), 'itself'],
] as const) {
  test(`${what} is ${expected}, and a client learns nothing of the network`, () => {
    const failure = failureOf(error)
    assert.equal(codeOf(failure), expected)
    if (failure instanceof CarrelError) {
      assert.doesNotMatch(failure.message, /secret-host|connect /)
      assert.equal(failure.cause, error)
    } else assert.equal(failure, error)
  })
}

test('conflicts are found below what wraps them', () => {
  for (const code of ['40001', '40P01', '23505'])
    assert.ok(isConflict(new Error('cannot write', { cause: answer(code) })), code)
  assert.equal(isConflict(answer('23503')), false)
  assert.equal(isConflict(new Error('40001')), false)
})
