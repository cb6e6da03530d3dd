import { posix } from 'node:path'
import type { Readable } from 'node:stream'
import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { withDescriptors } from '../../engine/budgets/with-descriptors.ts'
import { filesOf } from '../../engine/computers/files/files-of.ts'
import { keepInUse } from '../../engine/computers/access/keep-in-use.ts'
import type { Caller } from '../../engine/caller.ts'
import type { Engine } from '../../engine/engine.ts'
import { openSession, type OpenSession } from '../../engine/environments/sessions/find-session.ts'
import { packed, unpackInto } from '../../engine/environments/sessions/session-archive.ts'
import { workdirOf } from '../../engine/environments/sessions/sample-computer.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { sendDownload } from '../../http/send-download.ts'
import { filesQuery, putFilesAnswer, sessionParams } from './session-schemas.ts'

const tarType = 'application/x-tar'

/** Adds the upload and the download of files and directories, which the service's own API does not have. */
export function addSessionFileRoutes(app: App, engine: Engine): void {
  void app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers()
    // Of any type: the body is the file or the archive.
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    scope.put(
      '/sessions/:session_id/files',
      {
        schema: {
          params: sessionParams,
          querystring: filesQuery,
          response: { 200: putFilesAnswer },
          consumes: ['application/octet-stream'],
        },
        bodyLimit: limits.uploadBytes,
        config: {
          documentation: {
            description: 'Put a file, or the content of a tar, into a session',
            contentType: 'application/octet-stream',
            form: Type.String({ format: 'binary', description: `A file; with the Content-Type ${tarType}, a tar` }),
            example: { path: 'notes.txt', file: 'hello\n' },
            errors: [
              'not_found',
              'conflict',
              'already_exists',
              'forbidden',
              'disk_full',
              'too_large',
              'no_capacity',
              'other_node',
            ],
            notes: `With the Content-Type ${tarType}, the body is unpacked into the directory at path, which is made where it is missing: what is there stays, and modes are kept. Any other body is the file at path. Missing parents are made.`,
          },
        },
      },
      async (request) => {
        const body = request.body as Readable | undefined
        const isTar = request.headers['content-type']?.split(';')[0]?.trim() === tarType
        return withSession(engine, request, async (session, path) => {
          if (isTar && body) await unpackInto(engine, session, path, body)
          else await writeFile(engine, session, path, body)
          return { path }
        })
      },
    )
  })
  app.get(
    '/sessions/:session_id/files',
    {
      schema: { params: sessionParams, querystring: filesQuery },
      config: {
        documentation: {
          description: 'Get a file, or a directory as a tar, from a session',
          params: { path: { type: 'string', required: true, description: 'A file or a directory' } },
          example: { path: 'notes.txt' },
          returns: 'The bytes of the file, or a tar of what is in the directory',
          answers: {
            200: {
              description: 'The file, or a tar',
              content: {
                'application/octet-stream': { schema: { type: 'string', format: 'binary' } },
                [tarType]: { schema: { type: 'string', format: 'binary' } },
              },
            },
          },
          errors: ['not_found', 'conflict', 'forbidden', 'range_not_satisfiable', 'no_capacity', 'other_node'],
          notes: `A file comes as a tar, too, when the request accepts ${tarType}. A tar that could not be finished cuts the connection off.`,
        },
      },
    },
    (request, reply) =>
      withSession(engine, request, async (session, path) => {
        const files = filesOf(engine, session.computer)
        const isDirectory = (await files.stat(path)).type === 'directory'
        if (isDirectory || request.headers.accept === tarType)
          return reply.type(tarType).send(await packed(engine, session, path, isDirectory))
        const file = await files.open(path)
        try {
          await sendDownload(reply, file, 'application/octet-stream')
        } finally {
          file.close()
        }
        return reply
      }),
  )
}

interface FilesRequest {
  params: { session_id: string }
  query: { path: string }
  caller: Caller
}

/** Runs `work` with a session that is ready, in use meanwhile, and an absolute path in it. */
async function withSession<T>(
  engine: Engine,
  { params, query, caller }: FilesRequest,
  work: (session: OpenSession, path: string) => Promise<T>,
): Promise<T> {
  const session = await openSession(engine, caller, params.session_id)
  const path = posix.resolve(workdirOf(session.row.programs, session.computer.image.workdir), query.path)
  const done = keepInUse(engine, session.computer)
  try {
    const held = { doing: 'use the files', count: limits.fileDescriptors }
    return await withDescriptors(engine, caller, held, () => work(session, path))
  } finally {
    done()
  }
}

async function writeFile(engine: Engine, { computer }: OpenSession, path: string, body: Readable | undefined) {
  try {
    const files = filesOf(engine, computer)
    await files.write(path, body ?? new Uint8Array(), { maxBytes: limits.uploadBytes, ownsChunks: true })
  } catch (error) {
    if (body?.errored && error === body.errored)
      throw new CarrelError('invalid_request', 'Cannot accept the upload: its body was cut off', { cause: error })
    throw error
  }
}
