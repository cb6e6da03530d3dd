import { Type } from 'typebox'
import { limits } from '../../config/limits.ts'
import { patterns } from '../../http/patterns.ts'
import { object } from '../schema.ts'

/** The operations of the document, in its order. */
export const fileOperations = [
  'read_text',
  'read_bytes',
  'write_text',
  'write_bytes',
  'read_range',
  'write_range',
  'list',
  'stat',
  'exists',
  'mkdir',
  'move',
  'remove',
  'patch',
  'grep',
] as const

const path = (description: string) => Type.Optional(Type.String({ description, maxLength: 4096 }))
const size = (description: string) =>
  Type.Optional(Type.Integer({ description, minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))

const edit = object({
  find: Type.String({ description: 'The text to replace, wherever it occurs; not empty' }),
  replace: Type.String({ description: 'The text to put there' }),
})

export const fileBody = object({
  operation: Type.Enum([...fileOperations], { description: 'What to do; each operation reads its own fields' }),
  path: path('An absolute path below /home/node/workspace; the workspace itself if it is empty, a dot or left out'),
  to: path('move: the new path'),
  content: Type.Optional(Type.String({ description: 'write_text: the new content' })),
  content_base64: Type.Optional(Type.String({ description: 'write_bytes and write_range: the bytes, in base64' })),
  mode: Type.Optional(
    Type.Integer({
      description:
        'write_text, write_bytes and mkdir: permission bits as a decimal number, such as 420 for 0644; without it, a new file has 420, a new directory 493, and an existing file keeps its own',
      minimum: 0,
      maximum: 4095,
    }),
  ),
  offset: size('read_range and write_range: the first byte'),
  length: size('read_range: the number of bytes'),
  recursive: Type.Optional(
    Type.Boolean({
      description:
        'list: also what is below; mkdir: also missing parents, and an existing directory is no error; remove: also directories, with what is in them',
    }),
  ),
  edits: Type.Optional(
    Type.Array(edit, {
      description: 'patch: applied one after the other, each to all occurrences',
      maxItems: limits.patchEdits,
    }),
  ),
  set_contents: Type.Optional(Type.String({ description: 'patch: the new content; edits are then ignored' })),
  pattern: Type.Optional(
    Type.String({ description: 'grep: what to search for', minLength: 1, maxLength: limits.searchPatternLength }),
  ),
  regex: Type.Optional(
    Type.Boolean({ description: 'grep: whether pattern is a regular expression of ripgrep', default: false }),
  ),
  case_insensitive: Type.Optional(Type.Boolean({ description: 'grep', default: false })),
  max_matches: Type.Optional(
    Type.Integer({
      description: 'grep: the max number of lines',
      minimum: 1,
      maximum: limits.searchMaxMatches,
      default: limits.searchMatches,
    }),
  ),
  cursor: Type.Optional(
    Type.String({
      description: 'list: continue after the entries that came with this cursor',
      minLength: 1,
      maxLength: 8192,
      pattern: patterns.listCursor.source,
    }),
  ),
})

const facts = {
  type: Type.Enum(['file', 'directory'], { description: 'Of a link: what it leads to; file if it leads nowhere' }),
  size_bytes: Type.Optional(Type.Integer({ description: 'Of a file' })),
  mode: Type.Integer({ description: 'Permission bits as a decimal number' }),
}

const entry = object({
  path: Type.String({ description: 'Relative to /home/node/workspace' }),
  name: Type.String(),
  ...facts,
  target: Type.Optional(Type.String({ description: 'Of a link: where it leads' })),
  name_base64: Type.Optional(
    Type.String({ description: 'The exact bytes of a name that is not UTF-8; name and path then only resemble it' }),
  ),
})

export const fileAnswer = object({
  content: Type.Optional(Type.String({ description: 'read_text' })),
  content_base64: Type.Optional(Type.String({ description: 'read_bytes and read_range' })),
  entries: Type.Optional(Type.Array(entry, { description: 'list: sorted by path' })),
  stat: Type.Optional(
    object({ path: Type.String({ description: 'Relative to /home/node/workspace; a dot for itself' }), ...facts }),
  ),
  exists: Type.Optional(Type.Boolean({ description: 'exists' })),
  version: Type.Optional(
    Type.Integer({
      description:
        'patch: the first 8 bytes of the SHA-256 of the new content, big-endian, without the sign bit; up to 63 bits, so read it as a 64-bit integer',
    }),
  ),
  matches: Type.Optional(
    Type.Array(
      object({
        path: Type.String({ description: 'Relative to /home/node/workspace' }),
        line: Type.Integer({ description: 'The number of the line, from 1' }),
        match: Type.String({ description: 'The line; cut off where it is very long' }),
      }),
      { description: 'grep: in the order of paths' },
    ),
  ),
  truncated: Type.Optional(
    Type.Boolean({ description: 'list and grep: true if there may be more; otherwise missing' }),
  ),
  cursor: Type.Optional(Type.String({ description: 'list: what to send for more entries' })),
})
