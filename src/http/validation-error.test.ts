import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fastify, { type FastifyError } from 'fastify'
import { CarrelError } from '../errors.ts'
import { requestError } from './validation-error.ts'

/** What a route with a schema says to a body. */
async function refusalOf(body: unknown): Promise<CarrelError> {
  let known: CarrelError | undefined
  const app = fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: false } } })
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    known = requestError(error)
    return reply.status(known.status).send('')
  })
  const schema = {
    type: 'object',
    required: ['name'],
    additionalProperties: false,
    properties: {
      name: { type: 'string', maxLength: 3 },
      kind: { enum: ['a', 'b'] },
      deep: { type: 'object', properties: { list: { type: 'array', items: { type: 'integer' } } } },
      env: { type: 'object', additionalProperties: { type: 'string' } },
    },
  }
  app.post('/', { schema: { body: schema }, bodyLimit: 1000 }, async () => '')
  await app.inject({
    method: 'POST',
    url: '/',
    headers: { 'content-type': 'application/json' },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  })
  assert.ok(known, 'it was not refused')
  return known
}

describe('requestError()', () => {
  for (const [body, field, message] of [
    [{}, 'name', 'Cannot use field "name": it is missing'],
    [{ name: 1 }, 'name', 'Cannot use field "name": it must be string'],
    [{ name: 'long' }, 'name', 'Cannot use field "name": it must NOT have more than 3 characters'],
    [{ name: 'a', kind: 'c' }, 'kind', 'Cannot use field "kind": it has to be one of "a", "b"'],
    [{ name: 'a', other: 1 }, 'other', 'Cannot use field "other": the route takes no such field'],
    [{ name: 'a', deep: { list: [1, 'x'] } }, 'deep.list.1', 'Cannot use field "deep.list.1": it must be integer'],
    [{ name: 'a', env: { A: 1 } }, 'env.A', 'Cannot use field "env.A": it must be string'],
    [[], 'body', 'Cannot use field "body": it must be object'],
    ['{"name"', 'body', 'Cannot read the request: its body is not valid JSON'],
    ['', 'body', 'Cannot read the request: its JSON body is empty'],
    ['{"__proto__":1}', 'body', 'Cannot read the request: its body is not valid JSON'],
  ] as const)
    test(`says of ${JSON.stringify(body)}: ${message}`, async () => {
      const error = await refusalOf(body)
      assert.deepEqual(
        [error.code, error.status, error.details.field, error.message],
        ['invalid_request', 400, field, message],
      )
    })

  test('says of a body over the limit that it is too large', async () => {
    const error = await refusalOf({ name: 'x'.repeat(2000) })
    assert.deepEqual([error.code, error.status], ['too_large', 413])
  })

  test('hands on what is known already, and hides what is not', () => {
    const known = new CarrelError('conflict', 'Cannot: it is stopped')
    assert.equal(requestError(known as unknown as FastifyError), known)
    const secret = requestError(new Error('password is 1234') as FastifyError)
    assert.equal(secret.code, 'internal')
    assert.doesNotMatch(secret.message, /1234/)
    assert.match(String(secret.cause), /1234/)
  })

  test('takes any other refusal of the server shell for a wrong request', () => {
    const error = Object.assign(new Error('odd'), { statusCode: 406, code: 'FST_X' }) as FastifyError
    assert.deepEqual(
      [requestError(error).code, requestError(error).message],
      ['invalid_request', 'Cannot read the request: odd'],
    )
  })
})
