import type { FastifyInstance } from 'fastify'
import { FakeFailure } from './fake-failure.ts'

const quotaBytes = 10 * 1024 * 1024

/** Serves `/memory/*` from a map. */
export function serveMemory(app: FastifyInstance): void {
  const files = new Map<string, string>()
  const find = (path: string): string => {
    const content = files.get(path)
    if (content === undefined) throw new FakeFailure(404, 'NOT_FOUND', `There is no memory file "${path}"`)
    return content
  }
  app.post<{ Body: { path: string; content: string } }>('/memory/write', async ({ body: { path, content } }) => {
    files.set(path, content)
    return { success: true, size: Buffer.byteLength(content), path }
  })
  app.post<{ Body: { path: string } }>('/memory/read', async ({ body: { path } }) => {
    const content = find(path)
    return { success: true, content, size: Buffer.byteLength(content) }
  })
  app.post<{ Body: { prefix?: string } }>('/memory/list', async ({ body: { prefix = '' } }) => ({
    success: true,
    files: [...files]
      .filter(([path]) => path.startsWith(prefix))
      .map(([path, content]) => ({ path, size: Buffer.byteLength(content), modified: '2026-01-26T14:05:00.000Z' })),
  }))
  app.post<{ Body: { path: string } }>('/memory/delete', async ({ body: { path } }) => {
    find(path)
    files.delete(path)
    return { success: true, path }
  })
  app.post('/memory/usage', async () => ({
    usedBytes: [...files.values()].reduce((sum, content) => sum + Buffer.byteLength(content), 0),
    quotaBytes,
    fileCount: files.size,
  }))
}
