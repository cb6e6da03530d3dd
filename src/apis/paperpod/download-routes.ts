import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { sendDownload } from '../../http/send-download.ts'
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
      await withFiles(engine, request.caller, request.query.sessionId, async (files) => {
        const file = await files.open(path)
        try {
          await sendDownload(reply, file, contentTypeOf(file.info.name))
        } finally {
          file.close()
        }
      })
      return reply
    },
  )
}
