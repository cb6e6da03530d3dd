import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutPassword } from './open.ts'

test('withoutPassword() shows user, host and database, and nothing else of a URL', () => {
  for (const [location, shown] of [
    ['/var/lib/carrel/carrel.db', '/var/lib/carrel/carrel.db'],
    ['postgres://carrel:s%40cret@db:5433/carrel?sslmode=require', 'postgres://carrel@db:5433/carrel'],
    ['postgresql://db/carrel?password=secret', 'postgres://db/carrel'],
    ['postgres:///carrel?host=/run/postgresql&user=carrel', 'postgres:///run/postgresql/carrel'],
    ['postgres://carrel:sec#ret@db/carrel', 'postgres:'],
  ] as const)
    assert.equal(withoutPassword(location), shown)
})
