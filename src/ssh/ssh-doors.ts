import type { Socket } from 'node:net'
import type { Server } from 'node:tls'
import type { Engine } from '../engine/engine.ts'
import type { ClientNetworks } from '../http/client-networks.ts'
import { Admission } from './admission.ts'
import { PortListeners } from './port-listeners.ts'
import { serveConnection } from './serve-connection.ts'
import { openTlsEdge } from './tls-edge.ts'

/** The ways by which SSH clients reach computers: a TCP port for each, and one TLS port for all. */
export class SshDoors {
  readonly #engine: Engine
  readonly #admission: Admission
  readonly #ports: PortListeners
  #edge: Server | undefined

  constructor(engine: Engine, networks: ClientNetworks) {
    this.#engine = engine
    this.#admission = new Admission(engine.budgets.descriptors, networks)
    this.#ports = new PortListeners(engine, (socket, computerId) => this.#accept(socket, computerId))
  }

  /** Listens as the settings say, and stores the actual TLS port in them. Throws a `SettingError` if it cannot. */
  async open(): Promise<void> {
    await this.#ports.open()
    this.#edge = await openTlsEdge(this.#engine, this.#admission, (socket, computerId, admitted) => {
      void serveConnection(this.#engine, { socket, computerId, admitted })
    })
  }

  /** Ends the connections, whose servers would have nobody to speak with. */
  close(): void {
    this.#ports.close()
    this.#edge?.close()
    for (const { end } of this.#engine.ssh.connections.all) end('the server stops')
  }

  #accept(socket: Socket, computerId: string): void {
    const admitted = this.#admission.admit(socket.remoteAddress)
    if (!admitted) return void socket.destroy()
    void serveConnection(this.#engine, { socket, computerId, admitted })
  }
}
