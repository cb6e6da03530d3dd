import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fastify, { type FastifyError } from 'fastify'
import type { MemoryBudget } from '../engine/budgets/memory-budget.ts'
import { CarrelError } from '../errors.ts'
import { readJsonBodies } from './json-body.ts'
import { patterns } from './patterns.ts'
import { requestError } from './validation-error.ts'

/** Returns the error that a route with a schema answers to a body. */
async function errorOf(body: unknown): Promise<CarrelError> {
  let known: CarrelError | undefined
  const app = fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: false } } })
  app.setErrorHandler((error: FastifyError, request, reply) => {
    known = requestError(error, request)
    return reply.status(known.status).send('')
  })
  const schema = {
    type: 'object',
    required: ['name'],
    additionalProperties: false,
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 3, pattern: patterns.processName.source },
      count: { type: 'integer', minimum: 1, maximum: 9 },
      kind: { enum: ['a', 'b'] },
      deep: {
        type: 'object',
        properties: { list: { type: 'array', items: { type: 'integer' } }, 'a/b': { type: 'boolean' } },
      },
      env: { type: 'object', additionalProperties: { type: 'string' } },
      usd: { type: 'string', pattern: patterns.usDollars.source },
      form: { type: 'string', pattern: '^[ab]c$' },
      keys: {
        type: 'array',
        items: {
          type: 'object',
          minProperties: 1,
          additionalProperties: false,
          properties: { key_id: { type: 'string' }, expires_in: { type: 'integer' } },
        },
      },
    },
  }
  readJsonBodies(app, {} as MemoryBudget)
  app.post('/', { schema: { body: schema }, bodyLimit: 1000 }, async () => '')
  await app.inject({
    method: 'POST',
    url: '/',
    headers: { 'content-type': 'application/json' },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  })
  assert.ok(known, 'the body was not refused')
  return known
}

const proto =
  'Cannot read the request: its body has a key "__proto__" or "constructor" with a "prototype" in it, which is not allowed'

describe('requestError()', () => {
  for (const [body, field, message] of [
    [{}, 'name', 'Cannot use field "name": it is missing'],
    [{ name: 1 }, 'name', 'Cannot use field "name": it must be a string; got 1'],
    [{ name: null }, 'name', 'Cannot use field "name": it must be a string; got null'],
    [{ name: ['a', 'b'] }, 'name', 'Cannot use field "name": it must be a string; got a list of 2 items'],
    [{ name: 'long' }, 'name', 'Cannot use field "name": it must be at most 3 characters long; got 4'],
    [{ name: '' }, 'name', 'Cannot use field "name": it must not be empty'],
    [
      { name: 'a/' },
      'name',
      'Cannot use field "name": it must contain only letters from A to Z, digits, . _ : -; got "a/"',
    ],
    [{ name: 'a', kind: 'c' }, 'kind', 'Cannot use field "kind": it must be one of a, b; got "c"'],
    [{ name: 'a', count: 0 }, 'count', 'Cannot use field "count": it must be at least 1; got 0'],
    [{ name: 'a', count: 9.5 }, 'count', 'Cannot use field "count": it must be a whole number; got 9.5'],
    [{ name: 'a', count: '5' }, 'count', 'Cannot use field "count": it must be a whole number; got the string "5"'],
    [{ name: 'a', count: 99 }, 'count', 'Cannot use field "count": it must be at most 9; got 99'],
    [{ name: 'a', other: 1 }, 'other', 'Cannot use field "other": there is no such field here'],
    [{ name: 'a', nam: 1 }, 'nam', 'Cannot use field "nam": there is no such field here; did you mean "name"?'],
    [
      { name: 'a', keys: [{ expiresIn: 1 }] },
      'keys.0.expiresIn',
      'Cannot use field "keys.0.expiresIn": there is no such field here; did you mean "expires_in"?',
    ],
    [{ name: 'a', keys: [{}] }, 'keys.0', 'Cannot use field "keys.0": it must not be empty'],
    [{ name: 'a', usd: 'eur' }, 'usd', 'Cannot use field "usd": it must be usd; got "eur"'],
    [{ name: 'a', form: 'x' }, 'form', 'Cannot use field "form": it must be as the route documents it; got "x"'],
    [
      { name: 'a', deep: { list: [1, true] } },
      'deep.list.1',
      'Cannot use field "deep.list.1": it must be a whole number; got true',
    ],
    [{ name: 'a', deep: { 'a/b': 1 } }, 'deep.a/b', 'Cannot use field "deep.a/b": it must be true or false; got 1'],
    [{ name: 'a', env: { A: {} } }, 'env.A', 'Cannot use field "env.A": it must be a string; got an object'],
    [[], 'body', 'Cannot use field "body": it must be an object; got a list of 0 items'],
    ['"x"', 'body', 'Cannot use field "body": it must be an object; got the string "x"'],
    ['{"name"', 'body', 'Cannot read the request: its body is not valid JSON: syntax error at line 1, column 8'],
    ['hello', 'body', 'Cannot read the request: its body is not valid JSON'],
    ['', 'body', 'Cannot read the request: its JSON body is empty'],
    ['{"__proto__":1}', 'body', proto],
    ['{"name":"a","deep":{"constructor":{"prototype":1}}}', 'body', proto],
  ] as const)
    test(`refuses ${JSON.stringify(body)}: ${message}`, async () => {
      const error = await errorOf(body)
      assert.deepEqual(
        [error.code, error.status, error.details.field, error.message],
        ['invalid_request', 400, field, message],
      )
    })

  test('refuses a body over the limit as too large, and names the limit', async () => {
    const error = await errorOf({ name: 'x'.repeat(2000) })
    assert.deepEqual([error.code, error.status, error.details], ['too_large', 413, { maxBytes: 1000 }])
    assert.equal(error.message, 'Cannot read the request: its body is larger than 1000 bytes')
  })

  test('passes known errors through, and hides the messages of unknown ones', () => {
    const known = new CarrelError('conflict', 'Cannot: it is stopped')
    assert.equal(requestError(known as unknown as FastifyError), known)
    const secret = requestError(new Error('password is 1234') as FastifyError)
    assert.equal(secret.code, 'internal')
    assert.doesNotMatch(secret.message, /1234/)
    assert.match(String(secret.cause), /1234/)
  })

  test('treats any other refusal by the HTTP framework as an invalid request', () => {
    const error = Object.assign(new Error('odd'), { statusCode: 406, code: 'FST_X' }) as FastifyError
    assert.deepEqual(
      [requestError(error).code, requestError(error).message],
      ['invalid_request', 'Cannot read the request: odd'],
    )
  })
})
