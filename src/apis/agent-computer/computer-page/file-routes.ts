import type { Readable } from 'node:stream'
import { Type } from 'typebox'
import { limits } from '../../../config/limits.ts'
import { whileEntered } from '../../../engine/computers/access-sessions/enter-session.ts'
import type { Engine } from '../../../engine/engine.ts'
import { CarrelError } from '../../../errors.ts'
import type { App } from '../../../http/app.ts'
import { sendDownload } from '../../../http/send-download.ts'
import { object } from '../../schema.ts'
import { workspaceFile, workspacePath } from '../file-mapping.ts'
import { filesFor, runFileOperation } from '../file-routes.ts'
import { fileAnswer, fileBody } from '../file-schemas.ts'
import { dataHeaders } from './page-headers.ts'
import { openFor, visitOf } from './page-visit.ts'

const query = object({ path: Type.String({ minLength: 1, maxLength: 4096 }) })

/** Adds the files of the workspace: the operations of the API, and streamed up- and downloads. */
export function addFileRoutes(app: App, engine: Engine): void {
  app.post(
    '/api/files/ops',
    {
      schema: { body: fileBody, response: { 200: fileAnswer } },
      bodyLimit: limits.jsonBodyBytes,
      config: openFor(engine, 'everything'),
    },
    async (request) => runFileOperation(engine, request, visitOf(request).session.computer, request.body),
  )
  app.get(
    '/api/files/content',
    { schema: { querystring: query }, config: openFor(engine, 'everything') },
    async (request, reply) => {
      const { session } = visitOf(request)
      const files = await filesFor(engine, request, session.computer)
      const file = await files.open(workspacePath(request.query.path))
      const leave = whileEntered(engine, session, () => request.raw.socket.destroy())
      try {
        // Whatever it is, no browser opens it: it could be a page that acts for its visitor.
        void reply.headers(dataHeaders)
        await sendDownload(reply, file, 'application/octet-stream')
      } finally {
        leave()
        file.close()
      }
      return reply
    },
  )
  void app.register(async (scope: App) => addUpload(scope, engine))
}

function addUpload(app: App, engine: Engine): void {
  app.removeAllContentTypeParsers()
  // Of any type: the body is the file.
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  app.put(
    '/api/files/content',
    { schema: { querystring: query }, bodyLimit: limits.uploadBytes, config: openFor(engine, 'everything') },
    async (request, reply) => {
      const { session } = visitOf(request)
      const path = workspaceFile(request.query.path)
      const body = request.body as Readable | undefined
      const files = await filesFor(engine, request, session.computer)
      const leave = whileEntered(engine, session, () => request.raw.socket.destroy())
      try {
        await files.write(path, body ?? new Uint8Array(), { maxBytes: limits.uploadBytes, ownsChunks: true })
      } catch (error) {
        if (!body?.errored || error !== body.errored) throw error
        throw new CarrelError('invalid_request', 'Cannot accept the upload: its body was cut off', { cause: error })
      } finally {
        leave()
      }
      return reply.status(204).send()
    },
  )
}
