import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteOptions } from 'fastify'
import { RouteCatalog } from './route-catalog.ts'
import type { Surface, Topic } from './surface.ts'

const things: Topic = { name: 'Things', description: 'Things.', routes: [] }
const health: Topic = { name: 'Server', description: 'The server.', routes: [], shared: ['GET /things/:id'] }
const ours = { name: 'ours', topics: [things] } as unknown as Surface
const theirs = { name: 'theirs', topics: [health] } as unknown as Surface

const route = (method: string, url: string, config: object = {}) =>
  ({ method, url, config: { surface: ours, documentation: { description: 'x' }, ...config } }) as RouteOptions

test('a route is in the document of its surface, and of the one that shares it', () => {
  const catalog = new RouteCatalog([ours, theirs])
  catalog.add(route('GET', '/things/:id'), ours, things)
  catalog.add(route('HEAD', '/things/:id'), ours, things)
  catalog.add(route('POST', '/things'), ours, things)
  catalog.add(route('GET', '/things/page', { documentation: undefined }), ours, things)
  const named = (surface: Surface) =>
    catalog.topicsOf(surface).map(({ topic, routes }) => [topic.name, routes.map(({ name }) => name)])
  assert.deepEqual(named(ours), [['Things', ['GET /things/:id', 'POST /things']]])
  assert.deepEqual(named(theirs), [['Server', ['GET /things/:id']]])
  assert.equal(catalog.find('GET /things/page')?.topic, things)
})

test('a route whose address belongs to another surface is refused', () => {
  const catalog = new RouteCatalog([ours, theirs])
  assert.throws(() => catalog.add(route('GET', '/things'), theirs, health), {
    message: 'Cannot add GET /things to theirs: the address belongs to ours',
  })
})

test('a WebSocket has the path and the scope of its route', () => {
  const catalog = new RouteCatalog([ours])
  const socket = { maxMessageBytes: 1, open: () => {} }
  catalog.add(route('GET', '/things/:id/vnc', { socket, scope: 'account' }), ours, things)
  catalog.add(route('GET', '/ws', { socket }), ours, things)
  assert.deepEqual(
    catalog.sockets.map(({ path, scope }) => [path, scope]),
    [
      ['/things/:id/vnc', 'account'],
      ['/ws', 'compute'],
    ],
  )
})
