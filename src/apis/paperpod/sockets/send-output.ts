import type { ProcessHandle } from '../../../engine/types.ts'
import { processPieces } from '../../../http/sockets/process-pieces.ts'
import { OutputDecoder } from '../../../http/text-decoder.ts'
import { ExactCursor } from './exact-cursor.ts'
import type { Call } from './message.ts'

interface Options {
  cursor: number | string
  encoding: 'utf8' | 'base64'
  /** Ends the sending alone. */
  signal: AbortSignal
  /** Sees text of stderr go by. */
  onStderr?: (text: string) => void
}

/**
 * Sends a process's output as events `stdout` and `stderr` until it has ended, or the connection; each carries the
 * cursor behind it. The answer says whether some was dropped before it could be sent.
 */
export async function sendOutput(call: Pick<Call<unknown>, 'send'>, process: ProcessHandle, options: Options) {
  const { encoding, signal, onStderr } = options
  const { processId } = process
  const cursor = new ExactCursor(options.cursor)
  let decoder = new OutputDecoder()
  let truncated = false
  const sendRest = async () => {
    for (const { stream, text } of decoder.rest()) await call.send(stream, { processId, text, cursor: cursor.value })
  }
  for await (const piece of processPieces(process, cursor.start, signal)) {
    const { stream } = piece
    if (piece.truncated) {
      truncated = true
      await sendRest()
      decoder = new OutputDecoder()
      cursor.skipTo(piece.start)
    }
    const bytes = cursor.fresh(stream, piece.data.length === 1 ? piece.data[0]! : Buffer.concat(piece.data))
    const heldBefore = decoder.heldBytes
    const content =
      encoding === 'base64' ? { base64: bytes.toString('base64') } : { text: decoder.decode({ stream, data: bytes }) }
    if (stream === 'stderr') onStderr?.(content.text ?? bytes.toString('utf8'))
    const delivered = heldBefore + bytes.length - decoder.heldBytes
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
