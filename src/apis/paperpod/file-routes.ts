import type { MultipartFile } from '@fastify/multipart'
import mime from 'mime'
import { Compile } from 'typebox/compile'
import { limits } from '../../config/limits.ts'
import type { ComputerFiles, FileInfo } from '../../engine/types.ts'
import { useSandbox } from '../../engine/computers/use-sandbox.ts'
import type { Caller, Engine } from '../../engine/engine.ts'
import { newId } from '../../engine/ids.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { parseRange } from '../../http/byte-range.ts'
import { invalidValue } from '../../http/invalid-value.ts'
import { asText } from '../../http/text-decoder.ts'
import { sandboxPath } from './mapping.ts'
import {
  downloadAnswer,
  downloadQuery,
  listAnswer,
  mkdirAnswer,
  pathBody,
  readAnswer,
  readBody,
  sessionName,
  uploadAnswer,
  uploadForm,
  writeAnswer,
  writeBody,
} from './schemas.ts'

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

  app.post(
    '/files/upload',
    {
      schema: { response: { 200: uploadAnswer }, consumes: ['multipart/form-data'] },
      bodyLimit: limits.uploadBytes,
      config: {
        documentation: {
          description: 'Upload binary file (multipart/form-data - no base64 encoding needed)',
          contentType: 'multipart/form-data',
          params: {
            file: { type: 'File', required: true, description: 'Binary file to upload' },
            path: { type: 'string', required: true, description: 'Destination path in sandbox' },
            sessionId: { type: 'string', required: false },
          },
          returns: '{ success, path, size, originalName, sessionId }',
          notes: 'More efficient than base64 for large files. Streamed to the disk of the sandbox, at most 8 GiB.',
          form: uploadForm,
        },
      },
    },
    async (request) => {
      const form: UploadForm = { fields: new Map() }
      try {
        for await (const part of request.parts({ limits: { files: 1, fields: 8, fileSize: limits.uploadBytes } })) {
          if (part.type === 'file') form.upload = await takeFile(engine, request.caller, part, form.fields)
          else form.fields.set(part.fieldname, String(part.value))
        }
        return await finishUpload(engine, request.caller, form)
      } finally {
        await removeWaiting(engine, request.caller, form)
      }
    },
  )

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
          notes: 'File extension determines Content-Type. Range is honoured.',
          answers: downloadAnswer,
        },
      },
    },
    async (request, reply) => {
      const path = sandboxPath(request.query.path)
      const { computer, done } = await useSandbox(engine, request.caller, request.query.sessionId ?? '')
      if (reply.raw.destroyed) done()
      else reply.raw.once('close', done)
      const files = engine.driver.files(computer.id)
      const { sizeBytes, name } = await files.stat(path)
      const range = parseRange(request.headers.range, sizeBytes)
      const { info, stream } = await files.read(path, range)
      const end = Math.min(range?.end ?? info.sizeBytes, info.sizeBytes)
      reply.header('accept-ranges', 'bytes').header('content-type', mime.getType(name) ?? 'application/octet-stream')
      reply
        .header('content-disposition', `attachment; filename*=UTF-8''${encodeName(name)}`)
        .header('x-content-type-options', 'nosniff')
      reply.header('content-length', end - (range?.start ?? 0))
      if (range) reply.status(206).header('content-range', `bytes ${range.start}-${end - 1}/${info.sizeBytes}`)
      return reply.send(stream)
    },
  )
}

interface UploadForm {
  fields: Map<string, string>
  upload?: Upload
}

interface Upload {
  /** Where it was put, in which sandbox. `path` is a waiting place while `waits`. */
  sessionId: string
  path: string
  waits: boolean
  sizeBytes: number
  originalName: string
}

/** A file whose `path` or `sessionId` may come behind it waits under /tmp. */
function takeFile(engine: Engine, caller: Caller, part: MultipartFile, fields: Map<string, string>): Promise<Upload> {
  const given = fields.get('path')
  const sessionId = sessionOf(fields)
  const waits = !given || !fields.has('sessionId')
  const path = waits ? `/tmp/.upload-${newId()}` : sandboxPath(given)
  return withFiles(engine, caller, sessionId, async (files) => {
    const { sizeBytes } = await files.write(path, part.file, { maxBytes: limits.uploadBytes })
    return { sessionId, path, waits, sizeBytes, originalName: part.filename }
  })
}

async function finishUpload(engine: Engine, caller: Caller, { fields, upload }: UploadForm) {
  const sessionId = sessionOf(fields)
  const given = fields.get('path')
  const missing = upload ? (given ? undefined : 'path') : 'file'
  if (missing || !upload || !given) {
    throw new CarrelError('invalid_request', `Cannot take the upload: field "${missing}" is missing`, {
      details: { field: missing },
    })
  }
  const path = sandboxPath(given)
  if (upload.waits)
    await withFiles(engine, caller, sessionId, (files) => place(engine, caller, upload, files, { sessionId, path }))
  return { success: true, path, size: upload.sizeBytes, originalName: upload.originalName, sessionId }
}

/** Puts a file that waited where it belongs. One that is there already is written over, and keeps its mode. */
async function place(
  engine: Engine,
  caller: Caller,
  upload: Upload,
  files: ComputerFiles,
  to: { sessionId: string; path: string },
): Promise<void> {
  if (upload.sessionId === to.sessionId && !(await exists(files, to.path))) {
    await files.move(upload.path, to.path)
    upload.waits = false
    return
  }
  await withFiles(engine, caller, upload.sessionId, async (origin) => {
    const { stream } = await origin.read(upload.path)
    await files.write(to.path, stream, { maxBytes: limits.uploadBytes })
  })
}

async function removeWaiting(engine: Engine, caller: Caller, { upload }: UploadForm): Promise<void> {
  if (!upload?.waits) return
  await withFiles(engine, caller, upload.sessionId, (files) => files.remove(upload.path, { recursive: false })).catch(
    (error: unknown) => engine.log.warn({ err: error }, 'cannot remove an upload that waited'),
  )
}

async function exists(files: ComputerFiles, path: string): Promise<boolean> {
  try {
    await files.stat(path)
    return true
  } catch (error) {
    if (error instanceof CarrelError && error.code === 'not_found') return false
    throw error
  }
}

function sessionOf(fields: Map<string, string>): string {
  const given = fields.get('sessionId') ?? ''
  if (isSessionId.Check(given)) return given
  throw invalidValue(isSessionId.Errors(given), given, 'sessionId')
}

const isSessionId = Compile(sessionName)

async function withFiles<T>(
  engine: Engine,
  caller: Caller,
  sessionId: string | undefined,
  work: (files: ComputerFiles) => Promise<T>,
): Promise<T> {
  const { computer, done } = await useSandbox(engine, caller, sessionId ?? '')
  try {
    return await work(engine.driver.files(computer.id))
  } finally {
    done()
  }
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

/** As RFC 8187 wants it. */
function encodeName(name: string): string {
  return encodeURIComponent(name).replaceAll(/['()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
}

function fromBase64(content: string): Buffer {
  if (/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(content)) return Buffer.from(content, 'base64')
  throw new CarrelError('invalid_request', 'Cannot use field "content": it is not base64', {
    details: { field: 'content' },
  })
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
