import type { FastifyReply } from 'fastify'
import type { FileInfo, OpenFile } from '../engine/types.ts'
import { parseRange } from './byte-range.ts'
import { sendFile } from './send-file.ts'

/**
 * Sends a file, or the range of it that the request asks for, as one that is saved and never shown. Throws
 * `range_not_satisfiable`. Resolves as `sendFile` does.
 */
export async function sendDownload(
  reply: FastifyReply,
  file: Pick<OpenFile, 'read'> & { info: State & Pick<FileInfo, 'name'> },
  contentType: string,
): Promise<void> {
  const { headers } = reply.request
  const { name, sizeBytes } = file.info
  const state = stateOf(file.info)
  const isSame = headers['if-range'] === undefined || headers['if-range'] === state
  const range = isSame ? parseRange(headers.range, sizeBytes) : undefined
  const { start, end } = range ?? { start: 0, end: sizeBytes }
  reply.headers({
    'content-type': contentType,
    'content-length': end - start,
    'content-disposition': attachment(name),
    'x-content-type-options': 'nosniff',
    'accept-ranges': 'bytes',
    etag: state,
  })
  if (range) reply.status(206).header('content-range', `bytes ${start}-${end - 1}/${sizeBytes}`)
  await sendFile(reply, file, { start, end })
}

type State = Pick<FileInfo, 'sizeBytes' | 'modifiedAtMs'>

/** Returns the ETag of a file's state, so that a client never combines parts of two states (`If-Range`). */
function stateOf({ sizeBytes, modifiedAtMs }: State): string {
  return `"${modifiedAtMs.toString(36)}-${sizeBytes.toString(36)}"`
}

/** Returns the header of RFC 6266: the name in ASCII for old clients, and in full as RFC 8187 encodes it. */
function attachment(name: string): string {
  const plain = name.replaceAll(/[^ -~]+|["\\%]/g, '_')
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}
