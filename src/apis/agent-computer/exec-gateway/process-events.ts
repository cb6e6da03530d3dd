import type { MessageInitShape } from '@bufbuild/protobuf'
import { Code, ConnectError } from '@connectrpc/connect'
import { limits } from '../../../config/limits.ts'
import type { ProcessExit, ProcessHandle } from '../../../engine/types.ts'
import { processPieces, type Piece } from '../../../http/sockets/process-pieces.ts'
import { Pending } from './pending.ts'
import type { ProcessEventSchema } from './process_pb.ts'

export type ProcessEventInit = MessageInitShape<typeof ProcessEventSchema>

interface Options {
  /** Ends the events, not the process. */
  signal: AbortSignal
  /** After how long without another event a keep-alive is sent. */
  keepAliveMs: number
}

/**
 * Yields that a process runs, its output from the first that is kept, and its end. Returns early when `signal` aborts.
 * Throws `data_loss` when output was dropped before it could be read.
 */
export async function* processEvents(
  process: ProcessHandle,
  { signal, keepAliveMs }: Options,
): AsyncGenerator<ProcessEventInit> {
  yield event('start', { pid: process.pid })
  const isTerminal = process.meta['kind'] === 'interactive'
  const left = new AbortController()
  const readBytes = limits.minOutputReadBytes
  const reading = { cursor: 0, signal: AbortSignal.any([signal, left.signal]), maxBytes: readBytes, readBytes }
  const pieces = processPieces(process, reading)
  try {
    let hasOutput = false
    for (let next = new Pending(pieces.next()); ;) {
      const result = await next.within(keepAliveMs)
      if (signal.aborted) return
      if (result === undefined) {
        yield event('keepalive', {})
        continue
      }
      if (result.done) break
      const { value: piece } = result
      if (piece.truncated && hasOutput) throw new ConnectError('output was dropped before it was read', Code.DataLoss)
      if (piece.data.length > 0) yield event('data', { output: outputOf(piece, isTerminal) })
      hasOutput = true
      next = new Pending(pieces.next())
    }
    const exit = await process.wait()
    if (exit.reason === 'timeout')
      throw new ConnectError('the process took too long and was ended', Code.DeadlineExceeded)
    yield event('end', endOf(exit))
  } finally {
    left.abort()
  }
}

/** Copies the bytes, because those of a piece are borrowed. */
function outputOf({ stream, data }: Piece, isTerminal: boolean) {
  const value = new Uint8Array(Buffer.concat(data))
  return isTerminal ? { case: 'pty' as const, value } : { case: stream, value }
}

function endOf({ exitCode, signal, reason }: ProcessExit) {
  const hasExited = signal === null && exitCode !== null
  const status = hasExited ? `exit status ${exitCode}` : signal === null ? reason : `signal: ${signal}`
  const why = reason === 'exited' || reason === 'signalled' ? status : `${status} (${reason})`
  return { exitCode: exitCode ?? -1, exited: hasExited, status, ...(exitCode === 0 ? {} : { error: why }) }
}

function event(kind: 'start' | 'data' | 'end' | 'keepalive', value: object): ProcessEventInit {
  return { event: { case: kind, value } }
}
