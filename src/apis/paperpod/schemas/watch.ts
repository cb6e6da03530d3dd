import { Type } from 'typebox'
import { limits } from '../../../config/limits.ts'
import { object } from '../../schema.ts'
import { sessionId, text } from './shared.ts'

const globs = (description: string) =>
  Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: limits.globLength }), {
      description,
      maxItems: limits.watchGlobs,
    }),
  )

export const watchBody = object({
  path: text('Directory in the sandbox; a relative one is under /workspace', { maxLength: 8192, minLength: 1 }),
  recursive: Type.Optional(Type.Boolean({ description: 'Also watch subdirectories', default: true })),
  include: globs('Glob allowlist. Cannot be used together with exclude.'),
  exclude: globs('Glob blocklist. Cannot be used together with include.'),
  sessionId,
})
