import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { OpenFile } from '../engine/types.ts'
import { onDisconnect } from './on-disconnect.ts'

/**
 * Answers with the bytes of a file from `start` to `end`, exclusive, by the status and headers that were set. One buffer is
 * read into while the other is being sent, and neither is used again before the kernel has taken what is in it: the
 * memory of an answer is two buffers, however large the file and slow the client. A file that has become shorter breaks
 * the connection, so that nobody takes a part for the whole. Resolves when the answer is through or its client gone.
 */
export async function sendFile(
  reply: FastifyReply,
  file: Pick<OpenFile, 'read'>,
  { start, end }: { start: number; end: number },
): Promise<void> {
  const { raw: response, request } = reply
  if (!reply.server.server.listening) reply.header('connection', 'close')
  reply.hijack()
  response.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders)
  if (request.method === 'HEAD' || start >= end) return void response.end()
  const buffers = takeBuffers(end - start)
  const outflow = new Outflow(response)
  try {
    for (let at = start, turn = 0; at < end; turn = 1 - turn) {
      const buffer = buffers[turn as 0 | 1]
      const bytes = await file.read(buffer.subarray(0, end - at), at)
      if (bytes === 0) throw new Error(`the file ends at ${at} of ${end} bytes`)
      await outflow.send(buffer.subarray(0, bytes))
      at += bytes
    }
    await outflow.allSent()
    response.end()
  } catch (error) {
    if (!request.raw.socket.destroyed) request.log.warn({ err: error }, 'a download broke off')
    request.raw.socket.destroy()
  } finally {
    outflow.release()
    giveBack(buffers)
  }
}

/** Bytes on their way to a client, one part at a time. */
class Outflow {
  readonly #response: ServerResponse
  readonly release: () => void
  #underWay = false
  #failure: Error | undefined
  #waiter: { resolve: () => void; reject: (error: Error) => void } | undefined

  constructor(response: ServerResponse) {
    this.#response = response
    this.release = onDisconnect(response.req.socket, () => this.#settle(new Error('the client is gone')))
  }

  /** Resolves when the part before has been taken, so that its buffer is free; this one is then under way. */
  async send(bytes: Uint8Array): Promise<void> {
    await this.allSent()
    this.#underWay = true
    this.#response.write(bytes, (error) => {
      this.#underWay = false
      this.#settle(error ?? undefined)
    })
  }

  allSent(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure)
    if (!this.#underWay) return Promise.resolve()
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

/** Pages that were touched before are worth keeping: fresh ones cost more than the copy into them. */
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
