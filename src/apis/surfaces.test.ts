import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Compile } from 'typebox/compile'
import { CarrelError, errorTable, type ErrorCode } from '../errors.ts'
import { errorAnswer } from '../http/error-envelope.ts'
import { surfaceOf } from '../http/surface.ts'
import { appRoutes } from '../../test/support/app-routes.ts'
import { surfaces } from './surfaces.ts'

for (const { name, envelope } of surfaces)
  test(`every row of the error table fits the envelope of ${name}`, () => {
    const check = Compile(envelope.schema as never)
    for (const code of Object.keys(errorTable) as ErrorCode[]) {
      const error = new CarrelError(code, 'Cannot do it: a reason', {
        details: { limit: 5 },
        cause: new Error('secret'),
      })
      const { status, text } = errorAnswer(envelope, error, 'r1')
      assert.equal(status, errorTable[code].status)
      assert.deepEqual([...check.Errors(JSON.parse(text))], [], `${code}: ${text}`)
      assert.match(text, new RegExp(`"${envelope.codeOf(code)}"`))
      assert.doesNotMatch(text, /secret/)
    }
  })

test('an address belongs to the surface with the longest matching prefix', () => {
  for (const [address, name] of [
    ['/api/v1/none?x=/v1/me', 'pawpado'],
    ['/api/v1', 'pawpado'],
    ['/api/v10', 'carrel'],
    ['/v1/me', 'agent-computer'],
    ['/v1', 'agent-computer'],
    ['/v1/workspaces/x', 'carrel'],
    ['/v1/workspacesx', 'agent-computer'],
    ['/v10', 'carrel'],
    ['/users/me', 'environments'],
    ['/users/me/sessions/x', 'carrel'],
    ['/billing', 'environments'],
    ['/billing/return?payment=x', 'carrel'],
    ['/', 'paperpod'],
    ['/?x=1', 'paperpod'],
    ['', 'carrel'],
    ['/docs', 'carrel'],
    ['/execute', 'paperpod'],
    ['/executed', 'carrel'],
  ] as const)
    assert.equal(surfaceOf(surfaces, address).name, name, address)
})

test('each name and each prefix belongs to one surface, and one surface has all remaining addresses', () => {
  for (const values of [surfaces.map(({ name }) => name), surfaces.flatMap(({ prefixes }) => prefixes)])
    assert.deepEqual(values.toSorted(), [...new Set(values)].toSorted())
  assert.equal(surfaces.filter(({ prefixes }) => prefixes.includes('')).length, 1)
})

test('every route that the instruction of an error names exists, on the same surface or another', async () => {
  const names = new Set((await appRoutes()).map(({ method, url }) => `${method} ${url}`))
  let named = 0
  for (const { name, instructions } of surfaces)
    for (const text of Object.values(instructions))
      for (const [route] of text.matchAll(/(?:GET|POST|PATCH) \/(?:[\w/.-]*\w)?/g)) {
        const found = names.has(route) || names.has(route.replace(/\/openapi\/[a-z-]+\.json/, '/openapi/:surface.json'))
        assert.ok(found, `${name}: ${route}`)
        named++
      }
  assert.ok(named > 10)
})

test('no surface calls a route absent that it has', async () => {
  const names = new Set((await appRoutes()).map(({ method, url }) => `${method} ${url}`))
  const absent = surfaces.flatMap(({ name, absent = [] }) => absent.map((route) => [name, route] as const))
  assert.ok(absent.length > 0)
  for (const [name, route] of absent) {
    assert.ok(!names.has(route), route)
    assert.equal(surfaceOf(surfaces, route.split(' ')[1]!).name, name)
  }
})

test('an environments error names the place of the invalid value in the request', () => {
  const { envelope } = surfaceOf(surfaces, '/billing/usage')
  const schema = { querystring: { properties: { page: {} } }, params: { properties: { id: {} } } }
  const answer = (field: string, routeSchema: object = schema) => {
    const error = new CarrelError('invalid_request', 'Cannot use it', { details: { field } })
    const routeOptions = { url: '/billing/usage', schema: routeSchema } as never
    const { status, text } = errorAnswer(envelope, error, 'r1', { routeOptions })
    return [status, JSON.parse(text).detail]
  }
  const part = (...loc: (string | number)[]) => [422, [{ loc, msg: 'Cannot use it', type: 'value_error' }]]
  assert.deepEqual(answer('page'), part('query', 'page'))
  assert.deepEqual(answer('id'), part('path', 'id'))
  assert.deepEqual(answer('keys.0.x', { body: { properties: { keys: {} } } }), part('body', 'keys', 0, 'x'))
  assert.deepEqual(answer('body', { body: {} }), part('body'))
  assert.deepEqual(answer('body', {}), [400, { code: 'INVALID_REQUEST', message: 'Cannot use it' }])
})
