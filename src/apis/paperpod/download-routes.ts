import type { Engine } from '../../engine/engine.ts'
import type { FileInfo } from '../../engine/types.ts'
import type { App } from '../../http/app.ts'
import { parseRange } from '../../http/byte-range.ts'
import { sendFile } from '../../http/send-file.ts'
import { sandboxErrors } from './errors.ts'
import { contentTypeOf } from './content-type.ts'
import { sandboxPath } from './sandbox-path.ts'
import { downloadAnswer, downloadQuery } from './schemas/transfer.ts'
import { withFiles } from './with-files.ts'

export function addDownloadRoutes(app: App, engine: Engine): void {
  app.get(
    '/files/download',
    {
      schema: { querystring: downloadQuery },
      config: {
        documentation: {
          description: 'Download file as binary (no base64 encoding)',
          params: {
            path: { type: 'string', required: true, description: 'Query param: ?path=/path/to/file' },
            sessionId: { type: 'string', required: false },
          },
          returns: 'Binary file with appropriate Content-Type header',
          notes: 'File extension determines Content-Type. Range is supported.',
          answers: downloadAnswer,
          example: { path: '/workspace/notes.txt' },
          errors: [...sandboxErrors, 'not_found', 'forbidden', 'range_not_satisfiable'],
        },
      },
    },
    async (request, reply) => {
      const path = sandboxPath(request.query.path)
      const { headers } = request
      await withFiles(engine, request.caller, request.query.sessionId, async (files) => {
        const file = await files.open(path)
        try {
          const { name, sizeBytes } = file.info
          const state = stateOf(file.info)
          const isSame = headers['if-range'] === undefined || headers['if-range'] === state
          const range = isSame ? parseRange(headers.range, sizeBytes) : undefined
          const { start, end } = range ?? { start: 0, end: sizeBytes }
          reply.headers({
            'content-type': contentTypeOf(name),
            'content-length': end - start,
            'content-disposition': attachment(name),
            'x-content-type-options': 'nosniff',
            'accept-ranges': 'bytes',
            etag: state,
          })
          if (range) reply.status(206).header('content-range', `bytes ${start}-${end - 1}/${sizeBytes}`)
          await sendFile(reply, file, { start, end })
        } finally {
          file.close()
        }
      })
      return reply
    },
  )
}

/** Returns the ETag of a file's state, so that a client never combines parts of two states (`If-Range`). */
function stateOf({ sizeBytes, modifiedAtMs }: FileInfo): string {
  return `"${modifiedAtMs.toString(36)}-${sizeBytes.toString(36)}"`
}

/** Returns the header of RFC 6266: the name in ASCII for old clients, and in full as RFC 8187 encodes it. */
function attachment(name: string): string {
  const plain = name.replaceAll(/[^ -~]+|["\\%]/g, '_')
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}
