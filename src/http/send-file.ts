import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { OpenFile } from '../engine/types.ts'
import { onDisconnect } from './on-disconnect.ts'

/**
 * Sends the bytes of a file from `start` to `end`, exclusive, with the status and headers that were set. One buffer is
 * filled while the other is sent, and neither is reused before the kernel has accepted its content: a response uses two
 * buffers of memory, however large the file and slow the client. If the file has become shorter, the connection is cut,
 * so that a client does not mistake a part for the whole. Resolves when the response is sent or the client is gone.
 */
export async function sendFile(
  reply: FastifyReply,
  file: Pick<OpenFile, 'read'>,
  { start, end }: { start: number; end: number },
): Promise<void> {
  const { raw: response, request } = reply
  if (reply.server.isClosing) reply.header('connection', 'close')
  reply.hijack()
  response.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders)
  if (request.method === 'HEAD' || start >= end) return void response.end()
  const buffers = takeBuffers(end - start)
  const sender = new PartSender(response)
  try {
    for (let at = start, turn = 0; at < end; turn = 1 - turn) {
      const buffer = buffers[turn as 0 | 1]
      const bytes = await file.read(buffer.subarray(0, end - at), at)
      if (bytes === 0) throw new Error(`the file ends at ${at} of ${end} bytes`)
      await sender.send(buffer.subarray(0, bytes))
      at += bytes
    }
    await sender.allSent()
    response.end()
  } catch (error) {
    if (!request.raw.socket.destroyed) request.log.warn({ err: error }, 'download cut off')
    request.raw.socket.destroy()
  } finally {
    sender.release()
    giveBack(buffers)
  }
}

/** Sends bytes to a client, one part at a time. */
class PartSender {
  readonly #response: ServerResponse
  readonly release: () => void
  #isSending = false
  #failure: Error | undefined
  #waiter: { resolve: () => void; reject: (error: Error) => void } | undefined

  constructor(response: ServerResponse) {
    this.#response = response
    this.release = onDisconnect(response.req.socket, () => this.#settle(new Error('the client is gone')))
  }

  /**
   * Sends a part once the kernel has accepted the previous one. Resolves at that moment: the previous buffer is free.
   */
  async send(bytes: Uint8Array): Promise<void> {
    await this.allSent()
    this.#isSending = true
    this.#response.write(bytes, (error) => {
      this.#isSending = false
      this.#settle(error ?? undefined)
    })
  }

  allSent(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure)
    if (!this.#isSending) return Promise.resolve()
    return new Promise((resolve, reject) => (this.#waiter = { resolve, reject }))
  }

  #settle(error: Error | undefined): void {
    this.#failure ??= error
    const waiter = this.#waiter
    this.#waiter = undefined
    if (error) waiter?.reject(error)
    else waiter?.resolve()
  }
}

type Buffers = [Buffer, Buffer]

/** Buffers whose pages are already mapped: faulting in fresh pages costs more than the copy into them. */
const free: Buffers[] = []

function takeBuffers(bytes: number): Buffers {
  if (bytes < partBytes) return [Buffer.allocUnsafeSlow(bytes), Buffer.allocUnsafeSlow(bytes)]
  return free.pop() ?? [Buffer.allocUnsafeSlow(partBytes), Buffer.allocUnsafeSlow(partBytes)]
}

function giveBack(buffers: Buffers): void {
  if (buffers[0].length === partBytes && free.length < keptPairs) free.push(buffers)
}

const partBytes = 512 * 1024
const keptPairs = 8
