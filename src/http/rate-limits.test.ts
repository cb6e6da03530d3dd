import assert from 'node:assert/strict'
import { test } from 'node:test'
import { surfaces } from '../apis/surfaces.ts'
import { readSettings } from '../config/settings.ts'
import { AccountLimits, rateClassOf, type RateLimitPolicy } from './rate-limits.ts'

const of = (accountId: string, userId: string | null = null) => ({ accountId, userId })
const limitsWith = (env: NodeJS.ProcessEnv = {}) =>
  new AccountLimits({ settings: readSettings(env), server: { ownerId: 'owner' } })
const policyOf = (name: string): RateLimitPolicy => surfaces.find((surface) => surface.name === name)!.rateLimits
const [pawpado, paperpod, environments] = ['pawpado', 'paperpod', 'environments'].map(policyOf) as [
  RateLimitPolicy,
  RateLimitPolicy,
  RateLimitPolicy,
]

test("Pawpado's surface has the limits of its document by default, for reads, writes and polls separately and also for the owner", () => {
  const limits = limitsWith()
  for (const accountId of ['a', 'owner']) {
    assert.deepEqual(picked(limits.count(pawpado, of(accountId), 'read')), [60, 59])
    assert.deepEqual(picked(limits.count(pawpado, of(accountId), 'write')), [20, 19])
    assert.deepEqual(picked(limits.count(pawpado, of(accountId), 'poll')), [30, 29])
    assert.deepEqual(picked(limits.count(pawpado, of(accountId), 'read')), [60, 58])
  }
})

test('Pawpado counts a user in all workspaces together, the other surfaces count each workspace', () => {
  const limits = limitsWith()
  limits.count(pawpado, of('own', 'user'), 'read')
  assert.equal(limits.count(pawpado, of('shared', 'user'), 'read')!.remaining, 58)
  assert.equal(limits.count(pawpado, of('shared', 'another'), 'read')!.remaining, 59)
  limits.count(paperpod, of('own', 'user'), 'read')
  assert.equal(limits.count(paperpod, of('shared', 'user'), 'read')!.remaining, 29_999)
  assert.equal(limits.count(paperpod, of('shared', 'another'), 'read')!.remaining, 29_998)
})

test('unauthenticated clients are counted by network, only on Pawpado', () => {
  const limits = limitsWith()
  limits.countUnauthenticated(pawpado, '192.0.2.1', 'read')
  assert.equal(limits.countUnauthenticated(pawpado, '192.0.2.1', 'read')!.remaining, 58)
  assert.equal(limits.countUnauthenticated(pawpado, '192.0.2.2', 'read')!.remaining, 59)
  assert.equal(limits.countUnauthenticated(paperpod, '192.0.2.1', 'read'), undefined)
})

test('the other surfaces share a generous limit, which does not apply to the owner', () => {
  const limits = limitsWith()
  assert.deepEqual(picked(limits.count(paperpod, of('a'), 'write')), [30_000, 29_999])
  assert.deepEqual(picked(limits.count(environments, of('a'), 'write')), [30_000, 29_998])
  assert.deepEqual(picked(limits.count(paperpod, of('a'), 'read')), [30_000, 29_999])
  assert.deepEqual(picked(limits.count(paperpod, of('a'), 'poll')), [30_000, 29_998])
  assert.equal(limits.count(paperpod, of('owner'), 'write'), undefined)
})

test('the visitors of a share are counted by themselves, also at the owner', () => {
  const limits = limitsWith()
  for (const accountId of ['a', 'owner']) {
    const visitor = { ...of(accountId), shareId: `share of ${accountId}` }
    assert.deepEqual(picked(limits.count(paperpod, visitor, 'read')), [30_000, 29_999])
    assert.deepEqual(picked(limits.count(paperpod, visitor, 'read')), [30_000, 29_998])
  }
  assert.deepEqual(picked(limits.count(paperpod, of('a'), 'read')), [30_000, 29_999])
})

test('0 removes a limit', () => {
  const limits = limitsWith({ CARREL_WRITES_PER_MINUTE: '0', CARREL_PAWPADO_READS_PER_MINUTE: '0' })
  assert.equal(limits.count(paperpod, of('a'), 'write'), undefined)
  assert.equal(limits.count(pawpado, of('a'), 'read'), undefined)
  assert.equal(limits.count(pawpado, of('a'), 'write')!.limit, 20)
})

test('a request that only reads is a read', () => {
  for (const method of ['GET', 'HEAD']) assert.equal(rateClassOf(method), 'read')
  for (const method of ['POST', 'PATCH', 'PUT', 'DELETE', 'PROPFIND']) assert.equal(rateClassOf(method), 'write')
})

function picked(counted: ReturnType<AccountLimits['count']>) {
  return counted && [counted.limit, counted.remaining]
}
