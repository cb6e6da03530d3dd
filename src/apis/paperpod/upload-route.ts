import type { MultipartFile } from '@fastify/multipart'
import { Compile } from 'typebox/compile'
import { limits } from '../../config/limits.ts'
import type { ComputerFiles } from '../../engine/types.ts'
import type { Caller, Engine } from '../../engine/engine.ts'
import { newId } from '../../engine/ids.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { invalidValue } from '../../http/invalid-value.ts'
import { sandboxErrors } from './errors.ts'
import { sandboxPath } from './mapping.ts'
import { sessionName, uploadAnswer, uploadForm } from './schemas.ts'
import { withFiles } from './with-files.ts'

export function addUploadRoute(app: App, engine: Engine): void {
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
          example: { path: '/workspace/greeting.txt', file: 'hello\n' },
          errors: [...sandboxErrors, 'forbidden', 'conflict', 'disk_full'],
        },
      },
    },
    async (request) => {
      const form: UploadForm = { fields: new Map() }
      try {
        for await (const part of request.parts({
          fileHwm: limits.waitingUploadBytes,
          limits: { files: 1, fields: 8, fileSize: limits.uploadBytes },
        })) {
          if (part.type === 'file') form.upload = await takeFile(engine, request.caller, part, form.fields)
          else form.fields.set(part.fieldname, String(part.value))
        }
        return await finishUpload(engine, request.caller, form)
      } finally {
        await removeWaiting(engine, request.caller, form)
      }
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
    const { sizeBytes } = await files.write(path, part.file, { maxBytes: limits.uploadBytes, releases: true })
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
