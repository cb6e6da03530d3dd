import { Agent, type ClientRequestArgs } from 'node:http'
import type { Duplex } from 'node:stream'
import { releaseChunk } from '../../release-chunk.ts'

/** Connections into computers, kept for the next request. Hosts are computers' ids. */
export class ComputerAgent extends Agent {
  readonly #dial: (computerId: string, port: number) => Promise<Duplex>

  constructor(dial: (computerId: string, port: number) => Promise<Duplex>) {
    super({ keepAlive: true, maxFreeSockets: 64, timeout: 0 })
    this.#dial = dial
  }

  override createConnection(
    options: ClientRequestArgs,
    callback?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    this.#dial(options.host!, Number(options.port)).then(
      (socket) => {
        // The parser copies what it reads, so that what was read can go when it is through with it.
        socket.on('data', (chunk: Buffer) => process.nextTick(releaseChunk, chunk))
        callback!(null, socket)
      },
      (error: Error) => callback!(error, undefined as unknown as Duplex),
    )
    return undefined
  }
}
