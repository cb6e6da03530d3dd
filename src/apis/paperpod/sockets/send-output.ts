import type { ProcessHandle } from '../../../engine/types.ts'
import { processPieces } from '../../../http/sockets/process-pieces.ts'
import { OutputDecoder } from '../../../http/text-decoder.ts'
import type { ExactCursor } from './exact-cursor.ts'
import type { Call } from './message.ts'

interface Options {
  /** The process as its client names it. */
  processId: string
  /** Where to start; advances with the output that is sent. */
  cursor: ExactCursor
  encoding: 'utf8' | 'base64'
  /** Stops sending; the process continues. */
  signal: AbortSignal
  /** Receives the text of stderr as it is sent. */
  onStderr?: (text: string) => void
}

/**
 * Sends a process's output as events `stdout` and `stderr`, each with the cursor after it, until the process has ended
 * or `signal` aborts. Resolves with whether output was dropped before it could be sent.
 */
export async function sendOutput(
  call: Pick<Call<unknown>, 'send' | 'readBytes'>,
  process: ProcessHandle,
  options: Options,
) {
  const { processId, cursor, encoding, signal, onStderr } = options
  let decoder = new OutputDecoder()
  let truncated = false
  const sendRest = async () => {
    for (const { stream, text } of decoder.rest()) await call.send(stream, { processId, text, cursor: cursor.value })
  }
  for await (const piece of processPieces(process, {
    cursor: cursor.start,
    signal,
    maxBytes,
    readBytes: call.readBytes,
  })) {
    const { stream } = piece
    if (piece.truncated) {
      truncated = true
      await sendRest()
      decoder = new OutputDecoder()
      cursor.skipTo(piece.start)
    }
    const fresh = piece.data.map((data) => cursor.fresh(stream, data))
    const freshBytes = fresh.reduce((sum, { length }) => sum + length, 0)
    const heldBefore = decoder.heldBytes
    const content =
      encoding === 'base64'
        ? { base64: Buffer.concat(fresh).toString('base64') }
        : { text: fresh.map((data) => decoder.decode({ stream, data })).join('') }
    if (stream === 'stderr') onStderr?.(content.text ?? Buffer.concat(fresh).toString('utf8'))
    const delivered = heldBefore + freshBytes - decoder.heldBytes
    if (decoder.heldBytes === 0) cursor.moveTo(piece.cursor)
    else cursor.delivered(stream, delivered)
    if (delivered === 0 && !piece.truncated) continue
    await call.send(stream, {
      processId,
      ...content,
      cursor: cursor.value,
      ...(piece.truncated ? { truncated: true } : {}),
    })
  }
  if (!signal.aborted) await sendRest()
  return { truncated }
}

/** Texts of this size are garbage-collected young; larger ones make the heap grow. */
const maxBytes = 64 * 1024
