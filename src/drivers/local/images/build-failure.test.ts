import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CarrelError } from '../../../errors.ts'
import { buildFailure } from './build-failure.ts'
import { ProgramFailure } from './program.ts'
import type { Recipe } from './recipe.ts'

const recipe = { name: 'mine' } as Recipe
const failed = (...lines: string[]) =>
  buildFailure(recipe, new ProgramFailure('mmdebstrap', 25, null, lines)) as CarrelError

test('buildFailure() names the package that is missing', () => {
  const error = failed('E: Unable to locate package gh', 'E: apt-get failed')
  assert.equal(error.code, 'invalid_request')
  assert.equal(
    error.message,
    'Cannot build image "mine": the distribution has no package "gh"; mark it with "?" if it is optional',
  )
  assert.match(failed("E: Package 'python' has no installation candidate").message, /no package "python"/)
})

test('buildFailure() names the package that npm does not have', () => {
  const lines = ["npm error 404  The requested resource '@no/such@*' could not be found", 'npm error A complete log']
  const error = failed('npm error code E404', 'npm error 404 Not Found', ...lines)
  assert.equal(error.code, 'invalid_request')
  assert.equal(error.message, 'Cannot build image "mine": npm has no package "@no/such"')
})

test('buildFailure() distinguishes a full disk and an unreachable mirror', () => {
  assert.equal(failed('dpkg: error: No space left on device').code, 'no_capacity')
  const error = failed(
    'Err:1 http://mirror.test/debian bookworm InRelease',
    "E: Failed to fetch: Temporary failure resolving 'mirror.test'",
    'E: command failed',
  )
  assert.equal(error.code, 'unavailable')
  assert.equal(
    error.message,
    `Cannot build image "mine": E: Failed to fetch: Temporary failure resolving 'mirror.test'`,
  )
})

test('buildFailure() leaves every other error as it is', () => {
  const error = new Error('x')
  assert.equal(buildFailure(recipe, error), error)
})
