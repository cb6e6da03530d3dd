import multipart, { type MultipartFile } from '@fastify/multipart'
import { Compile } from 'typebox/compile'
import { limits } from '../../config/limits.ts'
import type { Lease } from '../../engine/budgets/descriptor-budget.ts'
import type { StagedFile } from '../../engine/types.ts'
import type { Caller } from '../../engine/caller.ts'
import type { Engine } from '../../engine/engine.ts'
import { openComputer } from '../../engine/computers/access/open-computer.ts'
import { filesOf } from '../../engine/computers/files/files-of.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { invalidValue } from '../../http/invalid-value.ts'
import { sessionName } from '../session-name.ts'
import { sandboxErrors } from './errors.ts'
import { uploadPath } from './sandbox-path.ts'
import { fileMode } from './schemas/file.ts'
import { uploadAnswer, uploadForm } from './schemas/transfer.ts'
import { withFiles } from './with-files.ts'

/** Adds the upload as a form, in a scope of its own: no other route takes multipart forms. */
export function addUploadRoutes(app: App, engine: Engine): void {
  void app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers()
    await scope.register(multipart, { limits: { fileSize: limits.uploadBytes } })
    addRoute(scope, engine)
  })
}

function addRoute(app: App, engine: Engine): void {
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
            path: {
              type: 'string',
              required: true,
              description:
                'Destination path in sandbox; one that ends with / is a directory, where the file keeps its name',
            },
            mode: { type: 'number', required: false, description: 'Permission bits, e.g. 493 for 0755' },
            sessionId: { type: 'string', required: false },
          },
          notes:
            'More efficient than base64 for large files. The file is streamed to the disk of the sandbox; it can have at most 8 GiB.',
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
          limits: {
            files: 1,
            fields: 8,
            parts: 9,
            fieldNameSize: 100,
            fieldSize: limits.uploadFieldBytes,
            headerPairs: 16,
            fileSize: limits.uploadBytes,
          },
        })) {
          if (part.type === 'field') form.fields.set(part.fieldname, String(part.value))
          else form.upload = await takeFile(engine, request.caller, part, form.fields)
        }
        return await finishUpload(engine, request.caller, form)
      } catch (error) {
        throw withFolderHint(error)
      } finally {
        await form.upload?.file.close()
        form.upload?.done()
      }
    },
  )
}

/** Returns the error; for a path that is a directory, with the way to put the file into it. */
function withFolderHint(error: unknown): unknown {
  if (!(error instanceof CarrelError) || (error.cause as NodeJS.ErrnoException | undefined)?.code !== 'EISDIR')
    return error
  const { code, message, details } = error
  return new CarrelError(code, `${message}; to put the file into it, end the path with a slash`, {
    details,
    cause: error,
  })
}

interface UploadForm {
  fields: Map<string, string>
  upload?: Upload
}

interface Upload {
  /** The sandbox of the file, which is in use until `done` is called. */
  sessionId: string
  done: () => void
  file: StagedFile
  originalName: string
}

/** Stages a file. Its `path` or `sessionId` can come after it, so the file is put in place when the form has ended. */
async function takeFile(
  engine: Engine,
  caller: Caller,
  part: MultipartFile,
  fields: Map<string, string>,
): Promise<Upload> {
  const given = fields.get('path')
  const path = given && uploadPath(given, part.filename)
  const sessionId = sessionOf(fields)
  const computer = await openComputer(engine, caller, { name: sessionId }, 'files')
  let lease: Lease | undefined
  const done = () => {
    lease?.release()
    computer.done()
  }
  try {
    const { descriptors } = engine.budgets
    const shares = descriptors.sharesOf({ account: caller.accountId })
    lease = descriptors.take('take the upload', shares, limits.fileDescriptors)
    const options = { maxBytes: limits.uploadBytes, ownsChunks: true }
    const file = await filesOf(engine, computer).stage(path, part.file, options)
    return { sessionId, done, file, originalName: part.filename }
  } catch (error) {
    done()
    throw error
  }
}

async function finishUpload(engine: Engine, caller: Caller, { fields, upload }: UploadForm) {
  const sessionId = sessionOf(fields)
  const mode = modeOf(fields)
  const given = fields.get('path')
  const missing = upload ? (given ? undefined : 'path') : 'file'
  if (missing || !upload || !given) {
    throw new CarrelError('invalid_request', `Cannot accept the upload: field "${missing}" is missing`, {
      details: { field: missing },
    })
  }
  const { file, originalName } = upload
  const path = uploadPath(given, originalName)
  if (upload.sessionId === sessionId) await file.commit(path, mode)
  else
    await withFiles(engine, caller, sessionId, (files) =>
      files.write(path, file.read(), { mode, maxBytes: limits.uploadBytes }),
    )
  return { success: true, path, size: file.sizeBytes, originalName, sessionId }
}

function sessionOf(fields: Map<string, string>): string {
  const given = fields.get('sessionId') ?? ''
  if (isSessionId.Check(given)) return given
  throw invalidValue(isSessionId.Errors(given), given, 'sessionId')
}

function modeOf(fields: Map<string, string>): number | undefined {
  const given = fields.get('mode') ?? ''
  if (given === '') return undefined
  const mode = /^\d+$/.test(given) ? Number(given) : given
  if (isFileMode.Check(mode)) return mode
  throw invalidValue(isFileMode.Errors(mode), mode, 'mode')
}

const isSessionId = Compile(sessionName)
const isFileMode = Compile(fileMode)
