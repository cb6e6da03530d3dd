import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { chmod, lstat, mkdir, readFile, readdir, readlink, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FastifyInstance } from 'fastify'
import { FakeFailure } from './fake-failure.ts'
import type { FakeServer } from './fake-server.ts'

interface FileBody {
  path: string
  content: string
  encoding?: 'utf8' | 'base64'
  mode?: number
  sessionId?: string
}

/** Serves `/files/*` from a folder of this machine. */
export function serveFiles(app: FastifyInstance, server: FakeServer): void {
  const at = (path: string) => join(server.root, path)

  app.post<{ Body: FileBody }>('/files/write', async ({ body }) => {
    const { path, content, encoding = 'utf8', mode, sessionId = 'default' } = body
    const bytes = Buffer.from(content, encoding)
    await mkdir(dirname(at(path)), { recursive: true })
    await writeFile(at(path), bytes, mode === undefined ? {} : { mode })
    return { success: true, path, size: bytes.length, sessionId }
  })

  app.post<{ Body: FileBody }>('/files/read', async ({ body: { path, encoding = 'utf8' } }) => {
    const bytes = await readFile(at(path)).catch(() => missing('read', path))
    return { success: true, path, content: bytes.toString(encoding), encoding, size: bytes.length }
  })

  app.post<{ Body: FileBody & { cursor?: string; limit?: number } }>('/files/list', async ({ body }) => {
    const { path, cursor = '', limit = server.listEntries } = body
    const found = await readdir(at(path)).catch(() => missing('list', path))
    const after = found.toSorted().filter((name) => name > Buffer.from(cursor, 'base64url').toString())
    const names = after.slice(0, Math.min(limit, server.listEntries))
    const more = names.length < after.length
    const next = more ? { truncated: true, cursor: Buffer.from(names.at(-1)!).toString('base64url') } : {}
    const files = await Promise.all(
      names.map(async (name) => {
        const entry = await lstat(at(join(path, name)))
        const type = entry.isDirectory() ? 'directory' : entry.isSymbolicLink() ? 'symlink' : 'file'
        const target = type === 'symlink' ? { target: await readlink(at(join(path, name))) } : {}
        const { size, mode, mtime } = entry
        return {
          name,
          path: join(path, name),
          type,
          size,
          mode: mode & 0o7777,
          modified: mtime.toISOString(),
          ...target,
        }
      }),
    )
    return { success: true, path, files, ...next }
  })

  app.post<{ Body: FileBody }>('/files/mkdir', async ({ body: { path } }) => {
    await mkdir(at(path), { recursive: true })
    return { success: true, path }
  })

  app.post('/files/upload', async (request) => {
    const file = await request.file()
    if (!file) throw new FakeFailure(400, 'INVALID_REQUEST', 'There is no file')
    const { path, mode, sessionId } = file.fields as Record<string, { value: string } | undefined>
    if (!path) throw new FakeFailure(400, 'INVALID_REQUEST', 'The path has to come before the file')
    const hash = createHash('sha256')
    let size = 0
    const counted = async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        size += chunk.length
        hash.update(chunk)
        if (!server.discardsUploads) yield chunk
      }
    }
    await mkdir(dirname(at(path.value)), { recursive: true })
    await pipeline(file.file, counted, createWriteStream(at(path.value)))
    if (mode) await chmod(at(path.value), Number(mode.value))
    server.uploads.push({ path: path.value, size, sha256: hash.digest('hex'), originalName: file.filename })
    return {
      success: true,
      path: path.value,
      size,
      originalName: file.filename,
      sessionId: sessionId?.value ?? 'default',
    }
  })

  app.get<{ Querystring: { path: string } }>('/files/download', async ({ query: { path }, headers }, reply) => {
    const { size, mtimeMs } = await stat(at(path)).catch(() => missing('download', path))
    const etag = `"${mtimeMs}-${size}"`
    const [, from] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? []
    const start = from !== undefined && headers['if-range'] === etag ? Number(from) : 0
    if (start > 0) reply.status(206)
    reply.header('content-length', size - start).header('etag', etag)
    async function* cuttable() {
      for await (const chunk of createReadStream(at(path), { start })) {
        yield chunk
        if (server.takeCut(chunk.length)) reply.raw.destroy()
      }
    }
    return reply.type('application/octet-stream').send(Readable.from(cuttable()))
  })
}

function missing(action: string, path: string): never {
  throw new FakeFailure(404, 'NOT_FOUND', `Cannot ${action} "${path}": it does not exist`)
}
