import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Compile } from 'typebox/compile'
import { CarrelError, errorTable, type ErrorCode } from '../errors.ts'
import { errorAnswer, errorEnvelopeOf } from '../http/error-envelope.ts'
import { errorEnvelopes } from './error-envelopes.ts'

for (const form of errorEnvelopes)
  test(`every row of the error table fits the envelope below ${form.under.join(', ')}`, () => {
    const check = Compile(form.schema as never)
    for (const code of Object.keys(errorTable) as ErrorCode[]) {
      const error = new CarrelError(code, 'Cannot do it: a reason', {
        details: { limit: 5 },
        cause: new Error('secret'),
      })
      const { status, text } = errorAnswer(form, error, 'r1')
      assert.equal(status, errorTable[code].status)
      assert.deepEqual([...check.Errors(JSON.parse(text))], [], `${code}: ${text}`)
      assert.match(text, new RegExp(`"${form.codeOf(code)}"`))
      assert.doesNotMatch(text, /secret/)
    }
  })

test('an address is in the envelope of the longest prefix that it is below', () => {
  for (const [address, name] of [
    ['/api/v1/none?x=/v1/me', 'PawpadoError'],
    ['/api/v1', 'PawpadoError'],
    ['/api/v10', 'Error'],
    ['/v1/me', 'AgentComputerError'],
    ['/v1', 'AgentComputerError'],
    ['/v1/workspaces/x', 'Error'],
    ['/v1/workspacesx', 'AgentComputerError'],
    ['/v10', 'Error'],
    ['/users/me', 'EnvironmentsError'],
    ['/users/me/sessions/x', 'Error'],
    ['/billing', 'EnvironmentsError'],
    ['/', 'Error'],
    ['', 'Error'],
    ['/execute', 'Error'],
  ] as const)
    assert.equal(errorEnvelopeOf(errorEnvelopes, address).name, name, address)
})

test("what is wrong with the environments' request is told with its place", () => {
  const form = errorEnvelopeOf(errorEnvelopes, '/billing/usage')
  const schema = { querystring: { properties: { page: {} } }, params: { properties: { id: {} } } }
  const answer = (field: string, routeSchema: object = schema) => {
    const error = new CarrelError('invalid_request', 'Cannot use it', { details: { field } })
    const routeOptions = { url: '/billing/usage', schema: routeSchema } as never
    const { status, text } = errorAnswer(form, error, 'r1', { routeOptions })
    return [status, JSON.parse(text).detail]
  }
  const part = (...loc: (string | number)[]) => [422, [{ loc, msg: 'Cannot use it', type: 'value_error' }]]
  assert.deepEqual(answer('page'), part('query', 'page'))
  assert.deepEqual(answer('id'), part('path', 'id'))
  assert.deepEqual(answer('keys.0.x', { body: { properties: { keys: {} } } }), part('body', 'keys', 0, 'x'))
  assert.deepEqual(answer('body', { body: {} }), part('body'))
  assert.deepEqual(answer('body', {}), [400, { code: 'INVALID_REQUEST', message: 'Cannot use it' }])
})
