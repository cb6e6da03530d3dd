import { Type } from 'typebox'
import { limits } from '../../../config/limits.ts'
import { patterns } from '../../../http/patterns.ts'
import { object } from '../../schema.ts'
import { path, sessionId, text } from './shared.ts'

const encoding = Type.Optional(
  Type.Enum(['utf8', 'base64'], { description: 'The encoding of content in JSON', default: 'utf8' }),
)

export const fileMode = Type.Integer({
  description: 'Permission bits as a decimal number, e.g. 493 for 0755',
  minimum: 0,
  maximum: 4095,
})

export const writeBody = object({
  path,
  content: text('The new content of the file'),
  encoding,
  mode: Type.Optional(fileMode),
  sessionId,
})

export const writeAnswer = object({
  success: Type.Boolean(),
  path: Type.String(),
  size: Type.Integer(),
  sessionId: Type.String(),
})

export const readBody = object({ path, encoding, sessionId })

export const readAnswer = object({
  success: Type.Boolean(),
  path: Type.String(),
  content: Type.String(),
  encoding: Type.String(),
  size: Type.Integer(),
})

export const pathBody = object({ path, sessionId })

export const listBody = object({
  path,
  limit: Type.Optional(
    Type.Integer({
      description: 'Max number of entries',
      minimum: 1,
      maximum: limits.listEntries,
      default: limits.listEntries,
    }),
  ),
  cursor: Type.Optional(
    Type.String({
      description: 'Continue after the entries that came with this cursor',
      minLength: 1,
      maxLength: 512,
      pattern: patterns.listCursor.source,
    }),
  ),
  sessionId,
})

export const listAnswer = object({
  success: Type.Boolean(),
  path: Type.String(),
  files: Type.Array(
    object({
      name: Type.String(),
      nameBase64: Type.Optional(
        Type.String({
          description: 'The exact bytes of a name that is not UTF-8; name and path then only resemble it',
        }),
      ),
      path: Type.String(),
      type: Type.Enum(['file', 'directory', 'symlink', 'other']),
      size: Type.Integer(),
      mode: Type.Integer(),
      modified: Type.String(),
      target: Type.Optional(Type.String()),
    }),
  ),
  truncated: Type.Optional(Type.Boolean({ description: 'True if there are more entries; otherwise missing' })),
  cursor: Type.Optional(Type.String({ description: 'The cursor to send for more entries; missing if there are none' })),
})

export const mkdirAnswer = object({ success: Type.Boolean(), path: Type.String() })
