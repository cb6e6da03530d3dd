import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fastify from 'fastify'
import { KnownRoutes } from './known-routes.ts'

describe('KnownRoutes', () => {
  const app = fastify()
  const known = new KnownRoutes(app)
  const answer = async () => ''
  app.get('/a', answer)
  app.post('/a', answer)
  app.delete('/things/:id', answer)
  app.put('/files/*', answer)
  app.get('/dotted.json', answer)
  app.get('/', answer)

  for (const [path, methods] of [
    ['/a', ['GET', 'HEAD', 'POST']],
    ['/a/', ['GET', 'HEAD', 'POST']],
    ['/', ['GET', 'HEAD']],
    ['/things/1', ['DELETE']],
    ['/things/1/2', []],
    ['/things/', []],
    ['/files/a/b', ['PUT']],
    ['/dotted.json', ['GET', 'HEAD']],
    ['/dottedxjson', []],
    ['/A', []],
    ['/none', []],
  ] as const)
    test(`${path} accepts ${methods.join(', ') || 'nothing'}`, () =>
      assert.deepEqual(known.methodsOf(path).toSorted(), [...methods]))

  for (const [path, near] of [
    ['/dottd.json', ['GET /dotted.json']],
    ['/Things/:id', ['DELETE /things/:id']],
    ['/api/dotted.json', ['GET /dotted.json']],
    ['/none', []],
    ['', []],
    ['/'.repeat(10_000), []],
  ] as const)
    test(`${path.slice(0, 20)} is near ${near.join(', ') || 'nothing'}`, () => assert.deepEqual(known.near(path), near))
})
