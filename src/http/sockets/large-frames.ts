/* oxlint-disable eslint/no-underscore-dangle -- ws names its fields like this */
import type { ClientSocket } from './client-socket.ts'

/** The used part of the receiver of `ws`, which is undocumented: a test shows when it changes. */
interface Receiver {
  _buffers: Buffer[]
  _bufferedBytes: number
  _fragments: Buffer[]
  /** The lengths of the current frame, and of its message so far. */
  _payloadLength: number
  _totalPayloadLength: number
  _opcode: number
  _fin: boolean
  _mask: Uint8Array | undefined
  /** False while the receiver waits for more bytes. */
  _loop: boolean
  consume: (bytes: number) => Buffer
  getData: (done: unknown) => void
}

/**
 * Makes a socket assemble large messages as they arrive. `ws` itself would wait for the whole message, and then copy
 * and unmask it in one go: for 48 MiB that blocks the event loop for 200 ms.
 */
export function receiveInPieces(socket: ClientSocket, maxMessageBytes: number): void {
  const { _receiver: receiver } = socket as unknown as { _receiver: Receiver }
  const { getData } = receiver
  /** The buffer of the message; how many of its bytes have arrived; where the current frame begins in it. */
  let target: Buffer | undefined
  let at = 0
  let start: number | undefined
  receiver.getData = (done) => {
    const isControl = receiver._opcode > 2
    if (isControl || (!target && receiver._totalPayloadLength <= wholeBytes)) return getData.call(receiver, done)
    if (!target) {
      // Pages that are never written take no memory.
      target = Buffer.allocUnsafeSlow(receiver._fin ? receiver._totalPayloadLength : maxMessageBytes)
      for (const fragment of receiver._fragments.splice(0)) at += fragment.copy(target, at)
    }
    start ??= at
    const end = start + receiver._payloadLength
    while (at < end && receiver._bufferedBytes > 0) {
      const piece = receiver.consume(Math.min(end - at, receiver._buffers[0]!.length))
      piece.copy(target, at)
      unmask(target, receiver._mask, { start, at, end: at + piece.length })
      at += piece.length
    }
    if (at < end) {
      receiver._loop = false
      return
    }
    receiver._payloadLength = 0
    if (receiver._fin) {
      // Hands the whole message to `ws` as one unmasked frame.
      receiver._buffers.unshift(target.subarray(0, at))
      receiver._bufferedBytes += at
      receiver._payloadLength = at
      receiver._mask = noMask
      target = undefined
      at = 0
    }
    start = undefined
    getData.call(receiver, done)
  }
}

function unmask(
  bytes: Buffer,
  mask: Uint8Array | undefined,
  { start, at, end }: { start: number; at: number; end: number },
): void {
  if (!mask) return
  for (let index = at; index < end; index++) bytes[index]! ^= mask[(index - start) & 3]!
}

const noMask = new Uint8Array(4)
/** Messages up to this size are left to `ws`. */
const wholeBytes = 256 * 1024
