import type { FastifyInstance } from 'fastify'
import type { Computer } from '../computers/computer.ts'
import type { ComputerOperation } from '../computers/operation.ts'
import { FakeFailure } from './fake-failure.ts'
import type { FakeServer } from './fake-server.ts'

/** Returns a computer that runs, with some fields replaced. */
export function fakeComputer(handle: string, more: Partial<Computer> = {}): Computer {
  return {
    id: `id-of-${handle}`,
    handle,
    display_name: handle,
    image_id: 'desktop-1',
    source_kind: 'image',
    source_snapshot_id: null,
    size_preset: 'ram-2g',
    requested_memory_mib: 2048,
    requested_storage_bytes: 5 * 1024 ** 3,
    state: 'running',
    failure_reason: null,
    state_reason: null,
    primary_url: `http://${handle}.computers.test/`,
    created_at: '2026-01-26T14:05:00.000Z',
    updated_at: '2026-01-26T14:05:00.000Z',
    ...more,
  }
}

/** Returns an operation that runs, with some fields replaced. */
export function fakeOperation(more: Partial<ComputerOperation> = {}): ComputerOperation {
  const id = 'op'
  return { id, kind: 'computer.start', status: 'running', progress: 0, resource_id: 'c', error_message: null, ...more }
}

/**
 * Serves the server's computers. To create or start one takes as long as there are states of the operation left, one for
 * each answer. Access sessions lead to the server's `computerOrigin`.
 */
export function serveComputers(app: FastifyInstance, server: FakeServer): void {
  const find = (name: string): Computer => {
    const computer = server.computers.find(({ id, handle }) => id === name || handle === name)
    if (!computer) throw new FakeFailure(404, 'NOT_FOUND', `Cannot find computer "${name}"`)
    return computer
  }
  const nextState = () => server.operationStates.shift()
  app.get('/v1/computers', async () => ({ computers: server.computers }))
  app.post<{ Body: { handle: string; size_preset?: string } }>('/v1/computers', async ({ body }, reply) => {
    const computer = fakeComputer(body.handle, { size_preset: body.size_preset ?? 'ram-2g' })
    server.computers.push(computer)
    return reply.status(202).send({ computer, operation: nextState() })
  })
  app.get<{ Params: { id: string } }>('/v1/computers/:id', async ({ params }) => ({ computer: find(params.id) }))
  app.get<{ Params: { id: string } }>('/v1/computers/:id/ports', async ({ params }) => ({
    ports: server.ports.filter(({ computer_id: id }) => id === find(params.id).id),
  }))
  app.get<{ Params: { id: string } }>('/v1/computers/:id/connection', async ({ params }) => {
    const { handle } = find(params.id)
    if (!server.connection) throw new FakeFailure(409, 'NO_CAPACITY', 'Cannot reach it: no port is free')
    return { connection: { handle, ...server.connection } }
  })
  app.post<{ Params: { id: string } }>('/v1/computers/:id/actions/ensure-ready', async ({ params }, reply) =>
    reply.status(202).send({ computer: find(params.id), operation: nextState() }),
  )
  app.get('/v1/operations/:id', async () => ({ operation: nextState() }))
  app.post<{ Params: { id: string }; Body: { kind: string } }>(
    '/v1/computers/:id/access-sessions',
    async ({ params, body: { kind } }, reply) => {
      const { id } = find(params.id)
      const token = `pp_access_${++server.accessSessions}`
      const { computerOrigin: origin } = server
      const isDesktop = kind === 'vnc'
      const session = {
        id: `session-${server.accessSessions}`,
        computer_id: id,
        kind,
        state: 'active',
        access_url: `${origin}/${isDesktop ? 'desktop' : ''}?access_token=${token}`,
        connect_url: isDesktop ? `${origin.replace('http', 'ws')}/api/desktop/socket` : origin,
        connect_token: token,
        expires_at: new Date(Date.now() + server.accessSessionMs).toISOString(),
      }
      return reply.status(201).send({ session })
    },
  )
  app.delete('/v1/computers/:id/access-sessions/:session', async (_request, reply) => reply.status(204).send())
}
