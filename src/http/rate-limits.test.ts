import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings } from '../config/settings.ts'
import { AccountLimits } from './rate-limits.ts'

const of = (accountId: string, userId: string | null = null) => ({ accountId, userId })
const limitsWith = (env: NodeJS.ProcessEnv = {}) =>
  new AccountLimits({ settings: readSettings(env), server: { ownerId: 'owner' } })

test("Pawpado's table is the default of its surface: reads, writes and polls apart", () => {
  const limits = limitsWith()
  for (const accountId of ['a', 'owner']) {
    assert.equal(limits.count(of(accountId), 'GET', '/api/v1/settings')!.limit, 60)
    assert.equal(limits.count(of(accountId), 'HEAD', '/api/v1/session')!.remaining, 58)
    for (const method of ['POST', 'PATCH', 'DELETE']) limits.count(of(accountId), method, '/api/v1/settings')
    assert.deepEqual(picked(limits.count(of(accountId), 'POST', '/api/v1/sessions/start')), [20, 16])
    assert.deepEqual(picked(limits.count(of(accountId), 'GET', '/api/v1/sessions/poll')), [30, 29])
    assert.deepEqual(picked(limits.count(of(accountId), 'GET', '/api/v1/sessions/connect')), [60, 57])
  }
})

test("Pawpado's counts a person in all workspaces together, the other surfaces each workspace", () => {
  const limits = limitsWith()
  limits.count(of('own', 'person'), 'GET', '/api/v1/settings')
  assert.equal(limits.count(of('shared', 'person'), 'GET', '/api/v1/settings')!.remaining, 58)
  assert.equal(limits.count(of('shared', 'another'), 'GET', '/api/v1/settings')!.remaining, 59)
  limits.count(of('own', 'person'), 'GET', '/balance')
  assert.equal(limits.count(of('shared', 'person'), 'GET', '/balance')!.remaining, 29_999)
  assert.equal(limits.count(of('shared', 'another'), 'GET', '/balance')!.remaining, 29_998)
})

test('a stranger is counted by network, on Pawpado alone', () => {
  const limits = limitsWith()
  limits.countStranger('192.0.2.1', 'GET', '/api/v1/nothing')
  assert.equal(limits.countStranger('192.0.2.1', 'GET', '/api/v1/other')!.remaining, 58)
  assert.equal(limits.countStranger('192.0.2.2', 'GET', '/api/v1/other')!.remaining, 59)
  assert.equal(limits.countStranger('192.0.2.1', 'GET', '/nothing'), undefined)
})

test('the other surfaces share a generous limit, which the owner has not', () => {
  const limits = limitsWith()
  assert.deepEqual(picked(limits.count(of('a'), 'POST', '/execute')), [30_000, 29_999])
  assert.deepEqual(picked(limits.count(of('a'), 'POST', '/users/me/api-keys')), [30_000, 29_998])
  assert.deepEqual(picked(limits.count(of('a'), 'GET', '/balance')), [30_000, 29_999])
  assert.equal(limits.count(of('owner'), 'POST', '/execute'), undefined)
})

test('0 takes a limit away', () => {
  const limits = limitsWith({ CARREL_WRITES_PER_MINUTE: '0', CARREL_PAWPADO_READS_PER_MINUTE: '0' })
  assert.equal(limits.count(of('a'), 'POST', '/execute'), undefined)
  assert.equal(limits.count(of('a'), 'GET', '/api/v1/settings'), undefined)
  assert.equal(limits.count(of('a'), 'PATCH', '/api/v1/settings')!.limit, 20)
})

function picked(counted: ReturnType<AccountLimits['count']>) {
  return counted && [counted.limit, counted.remaining]
}
