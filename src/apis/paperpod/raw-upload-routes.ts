import type { Readable } from 'node:stream'
import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import type { Engine } from '../../engine/engine.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { sandboxErrors } from './errors.ts'
import { filePath } from './sandbox-path.ts'
import { downloadQuery, uploadAnswer } from './schemas/transfer.ts'
import { withFiles } from './with-files.ts'

/**
 * Adds an upload whose body is the file itself, as `curl -T` sends it. PaperPod's document only has an upload as a
 * form.
 */
export function addRawUploadRoutes(app: App, engine: Engine): void {
  void app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers()
    // Of any type: the body is the file.
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    scope.put(
      '/files/upload',
      {
        schema: { querystring: downloadQuery, response: { 200: uploadAnswer }, consumes: ['application/octet-stream'] },
        bodyLimit: limits.uploadBytes,
        config: {
          documentation: {
            description: 'Upload a file as the request body, with any Content-Type',
            contentType: 'application/octet-stream',
            params: {
              path: { type: 'string', required: true, description: 'Query param: destination path in sandbox' },
              sessionId: { type: 'string', required: false },
            },
            notes:
              'The fastest way to upload large files. The file is streamed to the disk of the sandbox; it can have at most 8 GiB.',
            form: Type.String({ format: 'binary', description: 'The bytes of the file' }),
            example: { path: '/workspace/greeting.txt', file: 'hello\n' },
            errors: [...sandboxErrors, 'forbidden', 'conflict', 'disk_full', 'too_large'],
          },
        },
      },
      async (request) => {
        const { path: given, sessionId = '' } = request.query
        const path = filePath(given)
        const body = request.body as Readable | undefined
        const size = await withFiles(engine, request.caller, sessionId, async (files) => {
          const content = body ?? new Uint8Array()
          return (await files.write(path, content, { maxBytes: limits.uploadBytes, ownsChunks: true })).sizeBytes
        }).catch((error: unknown) => {
          if (body?.errored && error === body.errored)
            throw new CarrelError('invalid_request', 'Cannot accept the upload: its body was cut off', { cause: error })
          throw error
        })
        return { success: true, path, size, originalName: path.slice(path.lastIndexOf('/') + 1), sessionId }
      },
    )
  })
}
