import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { portsInUse } from '../engine/computers/ssh/ssh-address.ts'
import type { Engine } from '../engine/engine.ts'

type Accept = (socket: Socket, computerId: string) => void

/** Listens on the TCP port of each computer that has one. */
export class PortListeners {
  readonly #engine: Engine
  readonly #accept: Accept
  readonly #servers = new Map<string, { port: number; server: Server; isListening: Promise<void> }>()

  constructor(engine: Engine, accept: Accept) {
    this.#engine = engine
    this.#accept = accept
  }

  /** Listens on the ports that computers have, and from now on on those that they get. */
  async open(): Promise<void> {
    this.#engine.ssh.onPort = (computerId, port) => this.#set(computerId, port)
    for (const { computer_id: id, port } of await portsInUse(this.#engine)) await this.#set(id, port)
  }

  close(): void {
    this.#engine.ssh.onPort = async () => {}
    for (const { server } of this.#servers.values()) server.close()
    this.#servers.clear()
  }

  /** Resolves when the port accepts connections. A port that another program has taken is reported and left alone. */
  async #set(computerId: string, port: number | undefined): Promise<void> {
    const present = this.#servers.get(computerId)
    if (present && present.port === port) return present.isListening
    present?.server.close()
    this.#servers.delete(computerId)
    if (port === undefined) return
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket, computerId))
    const isListening = this.#listen(server, port)
    this.#servers.set(computerId, { port, server, isListening })
    await isListening
  }

  async #listen(server: Server, port: number): Promise<void> {
    const { settings, log } = this.#engine
    server.listen(port, settings.host)
    try {
      await once(server, 'listening')
      server.on('error', (error) => log.error({ err: error, port }, 'an SSH port fails'))
    } catch (error) {
      log.error({ err: error, port }, 'cannot listen on the SSH port of a computer')
    }
  }
}
