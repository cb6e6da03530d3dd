import { limits } from '../../config/limits.ts'
import type { ComputerFiles, FileInfo } from '../../engine/types.ts'
import type { Engine } from '../../engine/engine.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { asText } from '../../http/text-decoder.ts'
import { sandboxErrors } from './errors.ts'
import { fromBase64, sandboxPath } from './mapping.ts'
import { listAnswer, mkdirAnswer, pathBody, readAnswer, readBody, writeAnswer, writeBody } from './schemas.ts'
import { withFiles } from './with-files.ts'

export function addFileRoutes(app: App, engine: Engine): void {
  app.post(
    '/files/write',
    {
      schema: { body: writeBody, response: { 200: writeAnswer } },
      config: {
        documentation: {
          description: 'Write file to sandbox',
          returns: '{ success, path, size }',
          notes: 'In one step: readers see the old file or the new one.',
          example: { path: '/workspace/notes.txt', content: 'hello\n' },
          errors: [...sandboxErrors, 'forbidden', 'conflict', 'disk_full'],
        },
      },
    },
    ({ body, caller }) => {
      const path = sandboxPath(body.path)
      const bytes = body.encoding === 'base64' ? fromBase64(body.content) : Buffer.from(body.content)
      return withFiles(engine, caller, body.sessionId, async (files) => {
        const { sizeBytes } = await files.write(path, bytes, { mode: body.mode, maxBytes: limits.jsonBodyBytes })
        return { success: true, path, size: sizeBytes, sessionId: body.sessionId ?? '' }
      })
    },
  )

  app.post(
    '/files/read',
    {
      schema: { body: readBody, response: { 200: readAnswer } },
      config: {
        documentation: {
          description: 'Read file from sandbox',
          returns: '{ success, path, content, encoding, size }',
          notes: 'A file that is not UTF-8 comes as base64, as "encoding" then says.',
          example: { path: '/workspace/notes.txt' },
          errors: [...sandboxErrors, 'not_found', 'forbidden'],
        },
      },
    },
    ({ body, caller }) => {
      const path = sandboxPath(body.path)
      return withFiles(engine, caller, body.sessionId, async (files) => {
        const bytes = await readAll(files, path)
        const { text, base64 } = asText(bytes)
        const encoded = body.encoding === 'base64' ? bytes.toString('base64') : base64
        return {
          success: true,
          path,
          content: encoded ?? text,
          encoding: encoded === undefined ? 'utf8' : 'base64',
          size: bytes.length,
        }
      })
    },
  )

  app.post(
    '/files/list',
    {
      schema: { body: pathBody, response: { 200: listAnswer } },
      config: {
        documentation: {
          description: 'List directory contents',
          returns: '{ success, path, files: [{ name, path, type, size, mode, modified }] }',
          example: { path: '/workspace' },
          errors: [...sandboxErrors, 'not_found', 'forbidden'],
        },
      },
    },
    ({ body, caller }) => {
      const path = sandboxPath(body.path)
      return withFiles(engine, caller, body.sessionId, async (files) => ({
        success: true,
        path,
        files: (await files.list(path)).map(fileOf),
      }))
    },
  )

  app.post(
    '/files/mkdir',
    {
      schema: { body: pathBody, response: { 200: mkdirAnswer } },
      config: {
        documentation: {
          description: 'Create directory',
          returns: '{ success, path }',
          notes: 'Makes missing parents too; one that exists is no error.',
          example: { path: '/workspace/src' },
          errors: [...sandboxErrors, 'already_exists', 'forbidden', 'disk_full'],
        },
      },
    },
    ({ body, caller }) => {
      const path = sandboxPath(body.path)
      return withFiles(engine, caller, body.sessionId, async (files) => {
        await files.makeDirectory(path)
        return { success: true, path }
      })
    },
  )
}

async function readAll(files: ComputerFiles, path: string): Promise<Buffer> {
  const { info, stream } = await files.read(path)
  if (info.sizeBytes > limits.readBytes) {
    stream.destroy()
    throw new CarrelError(
      'too_large',
      `Cannot read ${JSON.stringify(path)}: it has ${info.sizeBytes} bytes and the limit is ${limits.readBytes}; use GET /files/download`,
      {
        details: { sizeBytes: info.sizeBytes, maxBytes: limits.readBytes },
      },
    )
  }
  return Buffer.concat((await stream.toArray()) as Buffer[])
}

function fileOf(info: FileInfo) {
  const { name, nameBytes, path, type, sizeBytes, mode, modifiedAtMs, target } = info
  return {
    name,
    ...(nameBytes === undefined ? {} : { nameBase64: nameBytes.toString('base64') }),
    path,
    type,
    size: sizeBytes,
    mode,
    modified: new Date(modifiedAtMs).toISOString(),
    ...(target === undefined ? {} : { target }),
  }
}
