import { Type } from 'typebox'
import { object } from '../../schema.ts'
import { path, sessionId, text } from './shared.ts'
import { fileMode } from './file.ts'

export const uploadAnswer = object({
  success: Type.Boolean(),
  path: Type.String(),
  size: Type.Integer(),
  originalName: Type.String(),
  sessionId: Type.String(),
})

export const uploadForm = object({
  file: Type.String({ format: 'binary', description: 'Binary file to upload' }),
  path: text(
    'Destination path in the sandbox; a relative one is under /workspace, and one that ends with / is a directory, where the file keeps its name',
  ),
  mode: Type.Optional(fileMode),
  sessionId,
})

const binary = {
  description: 'The bytes of the file; the extension determines the Content-Type',
  content: { 'application/octet-stream': { schema: Type.String({ format: 'binary' }) } },
}

export const downloadAnswer = { 200: binary, 206: binary }

export const downloadQuery = object({ path, sessionId })
