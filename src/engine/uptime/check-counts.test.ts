import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statusOfAll, statusOver, uptimePercent } from './check-counts.ts'

const counts = (operational: number, degraded: number, down: number) => ({ operational, degraded, down })

test('a tenth of the checks decides over an hour or a day, and a single failure is never hidden', () => {
  for (const [found, status, percent] of [
    [counts(0, 0, 0), 'unknown', undefined],
    [counts(60, 0, 0), 'operational', 100],
    [counts(55, 5, 0), 'operational', 100],
    [counts(54, 6, 0), 'degraded', 100],
    [counts(59, 0, 1), 'degraded', 98.33],
    [counts(55, 0, 5), 'degraded', 91.66],
    [counts(54, 0, 6), 'down', 90],
    [counts(0, 0, 1), 'down', 0],
    [counts(0, 1, 0), 'degraded', 100],
    [counts(1_000_000, 0, 1), 'degraded', 99.99],
  ] as const)
    assert.deepEqual([statusOver(found), uptimePercent(found)], [status, percent], JSON.stringify(found))
})

test('nodes that disagree make a service degraded, and those that do not know count for nothing', () => {
  for (const [statuses, status] of [
    [[], 'unknown'],
    [['unknown', 'unknown'], 'unknown'],
    [['unknown', 'operational'], 'operational'],
    [['operational', 'down'], 'degraded'],
    [['operational', 'degraded'], 'degraded'],
    [['down', 'down', 'unknown'], 'down'],
  ] as const)
    assert.equal(statusOfAll(statuses), status, statuses.join())
})
