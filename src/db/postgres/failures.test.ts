import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DatabaseError } from 'pg'
import { CarrelError } from '../../errors.ts'
import { connectionFailureOf, endsConnection, failureOf, isConflict } from './failures.ts'

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
  ['a statement without an answer', new Error('Query read timeout'), 'unavailable'],
  ['a standby', answer('25006'), 'unavailable'],
  ['a deadlock', answer('40P01'), 'unavailable'],
  ['another password', answer('28P01'), 'unavailable'],
  ['a database that is gone', answer('3D000'), 'unavailable'],
  ['a privilege that is revoked', answer('42501'), 'unavailable'],
  ['a disk that fails', answer('58030'), 'unavailable'],
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

test('a connection that is not made is unavailable, whatever the reason', () => {
  for (const error of [
    answer('55000'),
    new TypeError('x'),
    Object.assign(new Error('x'), { code: 'CERT_HAS_EXPIRED' }),
  ])
    assert.equal(connectionFailureOf(error).code, 'unavailable')
  assert.equal(connectionFailureOf(answer('53300')).code, 'no_capacity')
})

test('a connection ends with what says that it is lost or leads to the wrong server, and with nothing else', () => {
  for (const error of [answer('57P01'), answer('25006'), answer('25P03'), new Error('Connection terminated')])
    assert.equal(endsConnection(failureOf(error)), true, String(error))
  for (const error of [answer('57014'), answer('40001'), answer('23505'), answer('53100'), new TypeError('x')])
    assert.equal(endsConnection(failureOf(error)), false, String(error))
})

test('conflicts are found below what wraps them', () => {
  for (const code of ['40001', '40P01', '23505'])
    assert.ok(isConflict(new Error('cannot write', { cause: answer(code) })), code)
  assert.ok(isConflict(failureOf(answer('40001'))))
  assert.equal(isConflict(answer('23503')), false)
  assert.equal(isConflict(new Error('40001')), false)
})
