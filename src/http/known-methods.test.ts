import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fastify from 'fastify'
import { KnownMethods } from './known-methods.ts'

describe('KnownMethods', () => {
  const app = fastify()
  const known = new KnownMethods(app)
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
    test(`${path} takes ${methods.join(', ') || 'nothing'}`, () =>
      assert.deepEqual(known.of(path).toSorted(), [...methods]))
})
