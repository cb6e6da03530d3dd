import { isoTime } from '../iso-time.ts'
import { limits } from '../../config/limits.ts'
import type { FileInfo } from '../../engine/types.ts'
import { openComputer } from '../../engine/computers/access/open-computer.ts'
import { filesOf } from '../../engine/computers/files/files-of.ts'
import type { Engine } from '../../engine/engine.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { fileAsText } from '../../http/file-text.ts'
import { holdUntilAnswered } from '../../http/large-response.ts'
import { Slices } from '../../slices.ts'
import { piecesOf } from '../../json/text-pieces.ts'
import { bytesOf } from '../../text-bytes.ts'
import { sandboxErrors } from './errors.ts'
import { fromBase64 } from './mapping.ts'
import { filePath, sandboxPath } from './sandbox-path.ts'
import {
  listAnswer,
  listBody,
  mkdirAnswer,
  pathBody,
  readAnswer,
  readBody,
  writeAnswer,
  writeBody,
} from './schemas/file.ts'
import { withFiles } from './with-files.ts'

export function addFileRoutes(app: App, engine: Engine): void {
  app.post(
    '/files/write',
    {
      schema: { body: writeBody, response: { 200: writeAnswer } },
      bodyLimit: limits.jsonBodyBytes,
      config: {
        documentation: {
          description: 'Write file to sandbox',
          notes: 'Atomic: readers see either the old file or the new one.',
          example: { path: '/workspace/notes.txt', content: 'hello\n' },
          errors: [...sandboxErrors, 'forbidden', 'conflict', 'disk_full'],
        },
      },
    },
    async ({ body, caller }) => {
      const path = filePath(body.path)
      const slices = new Slices(caller.accountId)
      const content = piecesOf(body, 'content')
      const bytes = await (body.encoding === 'base64' ? fromBase64(content, slices) : bytesOf(content, slices))
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
      bodyLimit: limits.pathBodyBytes,
      config: {
        documentation: {
          description: 'Read file from sandbox',
          notes: 'A file that is not UTF-8 is returned as base64; "encoding" says so.',
          example: { path: '/workspace/notes.txt' },
          errors: [...sandboxErrors, 'not_found', 'forbidden'],
        },
      },
    },
    async (request) => {
      const { body, caller } = request
      const path = sandboxPath(body.path)
      const computer = await openComputer(engine, caller, { name: body.sessionId ?? '' }, 'files')
      holdUntilAnswered(request, computer.done)
      const file = await filesOf(engine, computer).open(path)
      holdUntilAnswered(request, () => file.close())
      const { sizeBytes } = file.info
      if (sizeBytes > limits.readBytes) throw tooLarge(path, sizeBytes)
      if (sizeBytes > limits.uncountedBytes)
        holdUntilAnswered(request, await engine.budgets.memory.reserve(caller.accountId, limits.fileReadMemoryBytes))
      const slices = new Slices(caller.accountId)
      const { text, encoding, size } = await fileAsText(file, { encoding: body.encoding, slices })
      return { success: true, path, content: text, encoding, size }
    },
  )

  app.post(
    '/files/list',
    {
      schema: { body: listBody, response: { 200: listAnswer } },
      bodyLimit: limits.pathBodyBytes,
      config: {
        documentation: {
          description: 'List directory contents',
          notes: `Entries are sorted by name. If a directory has more than ${limits.listEntries} entries, or very long names, the answer has the first ones and truncated is true: send its cursor to get the next.`,
          example: { path: '/workspace' },
          errors: [...sandboxErrors, 'not_found', 'forbidden'],
        },
      },
    },
    (request) => {
      const { body, caller } = request
      const { limit = limits.listEntries, cursor } = body
      const path = sandboxPath(body.path)
      return withFiles(engine, caller, body.sessionId, async (files) => {
        const { entries, next } = await files.list(path, {
          limit,
          maxBytes: limits.listBytes,
          after: cursor === undefined ? undefined : Buffer.from(cursor, 'base64url'),
          // Each text can be in memory twice: as read from the directory, and in the answer.
          beforeLarge: async () =>
            holdUntilAnswered(request, await engine.budgets.memory.reserve(caller.accountId, limits.listBytes * 2)),
        })
        const more = next ? { truncated: true, cursor: next.toString('base64url') } : {}
        return { success: true, path, files: entries.map(fileOf), ...more }
      })
    },
  )

  app.post(
    '/files/mkdir',
    {
      schema: { body: pathBody, response: { 200: mkdirAnswer } },
      bodyLimit: limits.pathBodyBytes,
      config: {
        documentation: {
          description: 'Create directory',
          notes: 'Also creates missing parents. A directory that already exists is not an error.',
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

function tooLarge(path: string, sizeBytes: number): CarrelError {
  return new CarrelError(
    'too_large',
    `Cannot read ${JSON.stringify(path)}: it has ${sizeBytes} bytes and the limit is ${limits.readBytes}; use GET /files/download`,
    { details: { sizeBytes, maxBytes: limits.readBytes } },
  )
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
    modified: isoTime(modifiedAtMs),
    ...(target === undefined ? {} : { target }),
  }
}
