import type { FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import { limits } from '../../config/limits.ts'
import type { AccessibleComputer } from '../../engine/computers/access/open-computer.ts'
import { listTree } from '../../engine/computers/files/list-tree.ts'
import { patchFile } from '../../engine/computers/files/patch-file.ts'
import { searchFiles } from '../../engine/computers/files/search-files.ts'
import type { Engine } from '../../engine/engine.ts'
import type { ComputerFiles, Patch } from '../../engine/types.ts'
import { CarrelError } from '../../errors.ts'
import { holdUntilAnswered } from '../../http/large-response.ts'
import { piecesOf } from '../../json/text-pieces.ts'
import type { Slices } from '../../slices.ts'
import { bytesOf, bytesOfBase64 } from '../../text-bytes.ts'
import { entriesOf, relativePath, statOf, workspaceEntry, workspaceFile, workspacePath } from './file-mapping.ts'
import { readBase64, readText } from './file-reads.ts'
import type { fileAnswer, fileBody, fileOperations } from './file-schemas.ts'

type Body = Static<typeof fileBody>
type Answer = Omit<Static<typeof fileAnswer>, 'version'> & { version?: bigint }

/** What an operation works with. */
export interface FileWork {
  engine: Engine
  request: FastifyRequest
  computer: AccessibleComputer<'files'>
  /** The files of the workspace. */
  files: ComputerFiles
  body: Body
  slices: Slices
}

export const operations: Record<(typeof fileOperations)[number], (work: FileWork) => Promise<Answer>> = {
  read_text: async (work) => ({ content: await readText(work, workspacePath(work.body.path ?? '')) }),
  read_bytes: async (work) => ({ content_base64: await readBase64(work, workspacePath(work.body.path ?? '')) }),
  read_range: async (work) => {
    const [start, length] = [required(work.body, 'offset'), required(work.body, 'length')]
    return { content_base64: await readBase64(work, workspacePath(work.body.path ?? ''), { start, length }) }
  },
  write_text: async (work) => {
    required(work.body, 'content')
    return write(work, await bytesOf(piecesOf(work.body as { content: string }, 'content'), work.slices))
  },
  write_bytes: async (work) => write(work, await base64Of(work)),
  write_range: async (work) => {
    const { files, body } = work
    const offset = required(body, 'offset')
    const [path, bytes] = [workspaceFile(body.path ?? ''), await base64Of(work)]
    if (offset + bytes.length > limits.fileEndBytes)
      throw new CarrelError(
        'too_large',
        `Cannot write to the file: it would be longer than ${limits.fileEndBytes} bytes`,
        {
          details: { maxBytes: limits.fileEndBytes },
        },
      )
    await files.writeRange(path, bytes, { offset })
    return {}
  },
  list,
  stat: async ({ files, body }) => ({ stat: statOf(await files.stat(workspacePath(body.path ?? ''))) }),
  exists: async ({ files, body }) => ({ exists: await exists(files, workspacePath(body.path ?? '')) }),
  mkdir: async ({ files, body }) => {
    const { path = '', mode, recursive = false } = body
    await files.makeDirectory(workspacePath(path), { mode, mustBeNew: !recursive })
    return {}
  },
  move: async ({ files, body }) => {
    const to = workspaceEntry(required(body, 'to'), 'to')
    await files.move(workspaceEntry(body.path ?? ''), to)
    return {}
  },
  remove: async ({ files, body }) => {
    const { path = '', recursive = false } = body
    const entry = workspaceEntry(path)
    const { type } = await files.stat(entry, { followLinks: false })
    if (type === 'directory' && !recursive)
      throw new CarrelError(
        'invalid_request',
        `Cannot remove ${JSON.stringify(path)}: it is a directory; send recursive`,
        {
          details: { field: 'recursive' },
        },
      )
    await files.remove(entry, { recursive })
    return {}
  },
  patch: async (work) => {
    const { engine, request, computer, files, body, slices } = work
    const path = workspaceFile(body.path ?? '')
    if (body.set_contents === undefined && (await files.stat(path)).sizeBytes > limits.uncountedBytes)
      holdUntilAnswered(request, await engine.budgets.memory.reserve(computer.caller.accountId, patchMemoryBytes))
    const hash = await patchFile(engine, computer, { files, path, patch: await patchOf(work), slices })
    return { version: BigInt.asUintN(63, hash.readBigUInt64BE(0)) }
  },
  grep: async ({ engine, computer, files, body, request }) => {
    const path = workspacePath(body.path ?? '')
    const { regex: isRegex = false, case_insensitive: ignoresCase = false, max_matches: maxMatches } = body
    const query = { pattern: required(body, 'pattern'), isRegex, ignoresCase, maxMatches, signal: request.signal }
    const { matches, truncated } = await searchFiles(engine, computer, files, path, query)
    return {
      matches: matches.map(({ path: found, line, text }) => ({ path: relativePath(found), line, match: text })),
      ...(truncated ? { truncated } : {}),
    }
  },
}

async function list({ engine, request, computer, files, body }: FileWork): Promise<Answer> {
  const path = workspacePath(body.path ?? '')
  const { recursive = false, cursor } = body
  const options = {
    limit: limits.listEntries,
    maxBytes: limits.listBytes,
    after: cursor === undefined ? undefined : Buffer.from(cursor, 'base64url'),
    // Each text can be in memory twice: as read from the directory, and in the answer.
    beforeLarge: once(async () =>
      holdUntilAnswered(request, await engine.budgets.memory.reserve(computer.caller.accountId, limits.listBytes * 2)),
    ),
  }
  const { entries, next } = recursive
    ? await listTree(files, path, { ...options, maxMs: limits.listTreeMs })
    : await files.list(path, options)
  return {
    entries: await entriesOf(files, entries),
    ...(next ? { truncated: true, cursor: next.toString('base64url') } : {}),
  }
}

async function write({ files, body }: FileWork, bytes: Buffer): Promise<Answer> {
  const { path = '', mode } = body
  await files.write(workspaceFile(path), bytes, {
    maxBytes: limits.jsonBodyBytes,
    ...(mode === undefined ? {} : { mode }),
  })
  return {}
}

async function base64Of({ body, slices }: FileWork): Promise<Buffer> {
  required(body, 'content_base64')
  const pieces = piecesOf(body as { content_base64: string }, 'content_base64')
  const bytes = await bytesOfBase64(pieces, slices)
  if (bytes) return bytes
  throw new CarrelError('invalid_request', 'Cannot use field "content_base64": it is not base64', {
    details: { field: 'content_base64' },
  })
}

async function patchOf({ body, slices }: FileWork): Promise<Patch> {
  if (body.set_contents !== undefined)
    return { contents: await bytesOf(piecesOf(body as { set_contents: string }, 'set_contents'), slices) }
  const edits = []
  for (const [index, edit] of required(body, 'edits').entries()) {
    const [find, replace] = [
      await bytesOf(piecesOf(edit, 'find'), slices),
      await bytesOf(piecesOf(edit, 'replace'), slices),
    ]
    if (find.length === 0)
      throw new CarrelError('invalid_request', `Cannot patch: edit ${index} has an empty "find"`, {
        details: { field: 'edits' },
      })
    edits.push({ find, replace })
  }
  return { edits }
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

/** Returns a field that an operation cannot do without. */
function required<Key extends keyof Body>(body: Body, key: Key): NonNullable<Body[Key]> {
  const value = body[key]
  if (value !== undefined && value !== null) return value
  throw new CarrelError('invalid_request', `Cannot do "${body.operation}": field "${key}" is missing`, {
    details: { field: key },
  })
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= work())
}

/** The file before and after an edit, and where the edit found its text. */
const patchMemoryBytes = limits.patchBytes * 10
