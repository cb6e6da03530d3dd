import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { asCarrelError, CarrelError, errorTable, isOutOfDescriptors, type ErrorCode } from './errors.ts'

const directory = import.meta.dirname
const rows = Object.entries(errorTable) as [ErrorCode, (typeof errorTable)[ErrorCode]][]
const read = (pattern: string) =>
  globSync(pattern, { cwd: directory })
    .filter((name) => !name.endsWith('.test.ts') && name !== 'errors.ts')
    .map((name) => readFileSync(`${directory}/${name}`, 'utf8'))
const sources = read('**/*.ts')
const page = readFileSync(`${directory}/../docs/ERRORS.md`, 'utf8')

describe('errorTable', () => {
  for (const [code, { status, action, instruction, retryable }] of rows) {
    test(`${code} is thrown somewhere`, () => {
      const thrown = new RegExp(`(?:Error\\(\\s*|\\[)'${code}'`)
      assert.ok(
        sources.some((source) => thrown.test(source)),
        'no source constructs an error with this code',
      )
    })

    test(`${code} says what a program and an agent can do next`, () => {
      assert.ok(status >= 400 && status < 600)
      assert.match(action, /^[A-Z]+(_[A-Z]+)*$/)
      assert.match(instruction, /^[A-Z].*\.$/)
      assert.ok(instruction.length > 20)
    })

    test(`${code} is documented`, () => {
      assert.ok(page.includes(`\`${code.toUpperCase()}\``), 'docs/ERRORS.md has no such code')
      assert.ok(page.includes(instruction) && page.includes(`\`${action}\``), 'docs/ERRORS.md says something else')
    })

    test(`${code} is ${retryable ? '' : 'not '}retryable, as its status implies`, () => {
      if ([408, 429, 502].includes(status)) assert.equal(retryable, true)
      if ([400, 401, 403, 404, 405, 413, 415, 416].includes(status)) assert.equal(retryable, false)
    })
  }

  test('every code that is thrown has a row', () => {
    const thrown = sources.flatMap((source) =>
      [...source.matchAll(/new CarrelError\(\s*'([a-z_]+)'/g)].map(([, code]) => code!),
    )
    assert.ok(thrown.length > 50)
    assert.deepEqual(
      [...new Set(thrown)].filter((code) => !(code in errorTable)),
      [],
    )
  })

  test('every message of the surfaces and the engine states the action, a colon and the reason', () => {
    const messages = read('{apis,http,engine}/**/*.ts').flatMap((source) =>
      [...source.matchAll(/new CarrelError\(\s*'(?!internal)[a-z_]+',\s*(['`])((?:(?!\1)[^\\]|\\.)*)\1/g)].map(
        ([, , message]) => message!,
      ),
    )
    assert.ok(messages.length > 25)
    for (const message of messages) assert.match(message, /^(Cannot [^:]+|\$\{\w+\}): .+[^.]$/s)
  })
})

describe('CarrelError', () => {
  test('has the status of its row in the table, its details and its cause', () => {
    const cause = new Error('deep')
    const error = new CarrelError('conflict', 'Cannot stop: it is stopped', { details: { state: 'stopped' }, cause })
    assert.deepEqual(
      [error.status, error.code, error.details, error.cause],
      [409, 'conflict', { state: 'stopped' }, cause],
    )
    assert.deepEqual(new CarrelError('conflict', 'x').details, {})
    assert.ok(!('cause' in new CarrelError('conflict', 'x')))
  })

  test('asCarrelError() wraps an unknown error as internal without revealing its message', () => {
    const known = new CarrelError('conflict', 'x')
    assert.equal(asCarrelError(known), known)
    for (const thrown of [new Error('secret'), 'secret', undefined, { code: 'conflict' }]) {
      const error = asCarrelError(thrown)
      assert.deepEqual([error.code, error.cause], ['internal', thrown])
      assert.ok(!error.message.includes('secret'))
    }
  })
})

test('a lack of file descriptors, however deep the cause, is a lack of capacity and no internal error', () => {
  for (const code of ['EMFILE', 'ENFILE']) {
    const cause = Object.assign(new Error('spawn ip'), { code })
    const wrapped = new CarrelError('internal', 'Cannot run "ip"', { cause: new Error('once more', { cause }) })
    for (const error of [cause, wrapped]) {
      assert.ok(isOutOfDescriptors(error))
      assert.equal(asCarrelError(error).code, 'no_capacity')
    }
    const named = new CarrelError('conflict', 'Cannot do it: it has ended', { cause })
    assert.equal(asCarrelError(named), named)
  }
  assert.equal(asCarrelError(Object.assign(new Error('x'), { code: 'ENOENT' })).code, 'internal')
})
