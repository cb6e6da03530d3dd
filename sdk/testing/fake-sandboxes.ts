import type { FastifyInstance } from 'fastify'
import type { Sandbox } from '../sandboxes.ts'
import { FakeFailure } from './fake-failure.ts'
import type { FakeServer } from './fake-server.ts'

/** Returns a sandbox that runs, with some fields replaced. */
export function fakeSandbox(name: string, more: Partial<Sandbox> = {}): Sandbox {
  return {
    sandbox_id: `id-of-${name}`,
    name,
    state: 'running',
    state_reason: null,
    since: '2026-01-26T14:05:00.000Z',
    created_at: '2026-01-26T14:05:00.000Z',
    keeps_files: false,
    processes: 0,
    idle_seconds: 90,
    idle_timeout_seconds: 600,
    disk_bytes: 1024,
    disk_limit_bytes: 1024 * 1024,
    ports: [],
    ...more,
  }
}

/** Serves `/v1/sandboxes` from the server's list, one in each answer. */
export function serveSandboxes(app: FastifyInstance, server: FakeServer): void {
  const find = (id: string): Sandbox => {
    const sandbox = server.sandboxes.find(({ sandbox_id }) => sandbox_id === id)
    if (!sandbox) throw new FakeFailure(404, 'NOT_FOUND', `Cannot find sandbox "${id}"`)
    return sandbox
  }
  app.get<{ Querystring: { name?: string; cursor?: string } }>('/v1/sandboxes', async ({ query }) => {
    const { name, cursor = '0' } = query
    if (name !== undefined) return { sandboxes: server.sandboxes.filter((one) => one.name === name), next_cursor: null }
    const next = Number(cursor) + 1
    const hasMore = next < server.sandboxes.length
    return { sandboxes: server.sandboxes.slice(next - 1, next), next_cursor: hasMore ? String(next) : null }
  })
  app.post<{ Params: { id: string } }>('/v1/sandboxes/:id/stop', async ({ params: { id } }) => {
    Object.assign(find(id), { state: 'stopped', state_reason: 'requested', idle_seconds: null, disk_bytes: null })
    return { message: 'The sandbox is stopped', sandbox_id: id }
  })
  app.delete<{ Params: { id: string } }>('/v1/sandboxes/:id', async ({ params: { id } }) => {
    server.sandboxes.splice(server.sandboxes.indexOf(find(id)), 1)
    return { message: 'The sandbox is deleted', sandbox_id: id }
  })
}
