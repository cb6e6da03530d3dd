import { constants } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import { limits } from '../config/limits.ts'
import { SettingError } from '../config/settings.ts'
import type { Engine } from '../engine/engine.ts'
import type { ClientNetworks } from '../http/client-networks.ts'
import { NetworkCounter } from '../http/network-counter.ts'
import { assertWithin } from '../http/rate-limits.ts'
import { Admission } from '../ssh/admission.ts'
import { edgeCertificate } from '../ssh/edge-certificate.ts'
import { serveViewer, type ViewerFilter, type ViewerParts } from './serve-viewer.ts'

/** The port at which VNC viewers reach the desktops of computers. */
export class VncDoor {
  readonly #engine: Engine
  readonly #admission: Admission
  readonly #viewOnlyFilter: () => ViewerFilter
  readonly #attempts = new NetworkCounter(limits.vncAttemptsPerMinute)
  readonly #open = new Set<Socket>()
  #server: Server | undefined

  constructor(engine: Engine, networks: ClientNetworks, viewOnlyFilter: () => ViewerFilter) {
    this.#engine = engine
    this.#admission = new Admission(engine.budgets.descriptors, networks)
    this.#viewOnlyFilter = viewOnlyFilter
  }

  /** Listens if the settings say so, and stores the actual port in them. Throws a `SettingError` if it cannot. */
  async open(): Promise<void> {
    const { settings } = this.#engine
    if (settings.vncPort === undefined) return
    const pem = await edgeCertificate(this.#engine)
    // Each renegotiation costs as much as a connection, and nothing would count it.
    const secureOptions = constants.SSL_OP_NO_RENEGOTIATION
    const parts: ViewerParts = {
      offer: {
        context: createSecureContext({ cert: pem, key: pem, secureOptions }),
        allowsPlain: settings.sshEdgePem === undefined,
      },
      countAttempt: (network) => {
        if (network !== undefined) assertWithin(this.#attempts.count(network))
      },
      viewOnlyFilter: this.#viewOnlyFilter,
    }
    this.#server = createServer({ noDelay: true, ...probes }, (socket) => this.#accept(socket, parts))
    await listen(this.#server, this.#engine)
  }

  close(): void {
    this.#server?.close()
    for (const socket of this.#open) socket.destroy()
  }

  #accept(socket: Socket, parts: ViewerParts): void {
    const admitted = this.#admission.admit(socket.remoteAddress)
    if (!admitted) return void socket.destroy()
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    void serveViewer(this.#engine, { socket, admitted, parts })
  }
}

async function listen(server: Server, { settings }: Engine): Promise<void> {
  const { vncPort: port, host } = settings
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    throw new SettingError(
      `Cannot start: port ${port} on ${host} cannot be used for VNC (${(error as NodeJS.ErrnoException).code}); set CARREL_VNC_PORT to a free one`,
    )
  }
  const address = server.address()
  if (address && typeof address === 'object') settings.vncPort = address.port
}

/** The kernel detects a viewer that vanished silently, which would keep its computer in use. */
const probes = { keepAlive: true, keepAliveInitialDelay: 60_000 }
