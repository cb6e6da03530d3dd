import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ComputerPages } from './computer-pages.ts'
import { sendFinalResponse } from './final-response.ts'
import { refuseUpgrade } from './malformed-request.ts'
import { isUnderPreviewDomain, parsePreviewHost } from './previews/preview-name.ts'
import type { PreviewProxy } from './previews/proxy.ts'
import type { Surface } from './surface.ts'

/** Answers a WebSocket handshake on the origin itself; returns false when nothing is at that path. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean

interface Parts {
  previews: PreviewProxy
  pages: ComputerPages | undefined
  previewDomain: string
  onUpgrade: UpgradeHandler
  surfaces: readonly Surface[]
}

/** Sends WebSocket handshakes to previews and to the pages of computers by their host name, and all others to the surfaces. */
export class Upgrades {
  readonly #parts: Parts
  readonly #tunnels = new Set<Duplex>()
  #closing = false

  constructor(server: Server, parts: Parts) {
    this.#parts = parts
    server.on('upgrade', (request, socket, head) => this.#take(request, socket, head))
  }

  /**
   * Refuses handshakes from now on, and ends what is open soon. WebSockets never become idle and would keep the server:
   * clients were asked to reconnect, or they belong to previews.
   */
  close(): void {
    this.#closing = true
    setTimeout(() => this.#tunnels.forEach((socket) => socket.destroy()), closeGraceMs).unref()
  }

  #take(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { previews, pages, previewDomain, onUpgrade, surfaces } = this.#parts
    if (this.#closing) return sendFinalResponse(socket, emptyResponse('503 Service Unavailable'))
    this.#tunnels.add(socket)
    socket.once('close', () => this.#tunnels.delete(socket))
    const { host } = request.headers
    const target = parsePreviewHost(host, previewDomain)
    if (target) return void previews.upgrade(target, request, socket, head)
    if (pages?.isAt(host) && pages.upgrade(request, socket, head)) return
    if (isUnderPreviewDomain(host, previewDomain)) return sendFinalResponse(socket, emptyResponse('404 Not Found'))
    if (!onUpgrade(request, socket, head)) refuseUpgrade(request, socket, surfaces)
  }
}

function emptyResponse(status: string): string {
  return `HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`
}

/** How long a WebSocket has for its close handshake when the server closes. */
const closeGraceMs = 1_000
