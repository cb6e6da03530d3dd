import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where the connection of a client is lost: before PostgreSQL receives a commit, or before the client learns of it. */
export type LostCommit = 'before' | 'after'

/** Stands between servers and PostgreSQL, and fails as PostgreSQL, its host or the network can. */
export class PostgresProxy {
  /** The URL of the database behind the proxy. */
  readonly url: string
  readonly #target: string
  readonly #path: string
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #isSilent = false
  #lostCommit: LostCommit | undefined
  #lose: (() => void) | undefined

  private constructor(target: string, folder: string) {
    const url = new URL(target)
    this.#target = join(url.searchParams.get('host')!, socketName)
    this.#path = join(folder, socketName)
    url.searchParams.set('host', folder)
    this.url = url.href
  }

  static async start(scope: { after(end: () => Promise<void>): void }, target: string): Promise<PostgresProxy> {
    const folder = mkdtempSync(join(tmpdir(), 'carrel-proxy-'))
    const proxy = new PostgresProxy(target, folder)
    scope.after(async () => {
      await proxy.refuse()
      rmSync(folder, { recursive: true })
    })
    await proxy.accept()
    return proxy
  }

  /** Refuses connections and ends those that are open, as where PostgreSQL has ended. */
  async refuse(): Promise<void> {
    const closed = this.#server && once(this.#server, 'close')
    this.#server?.close()
    this.#server = undefined
    this.cut()
    await closed
  }

  /** Accepts connections, and says nothing on any, as where PostgreSQL or its host has stopped. */
  silence(): void {
    this.#isSilent = true
    for (const socket of this.#sockets) socket.pause()
  }

  /** Ends the connections that are open. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Works again, after any failure. */
  async accept(): Promise<void> {
    this.#isSilent = false
    this.#lostCommit = undefined
    for (const socket of this.#sockets) socket.resume()
    if (this.#server) return
    this.#server = createServer((client) => this.#connect(client)).listen(this.#path)
    await once(this.#server, 'listening')
  }

  /** Loses the next connection that commits. Returns a promise that resolves when that has happened. */
  loseCommit(when: LostCommit): Promise<void> {
    this.#lostCommit = when
    return new Promise((resolve) => {
      this.#lose = resolve
    })
  }

  #connect(client: Socket): void {
    const server = connect(this.#target)
    const end = () => {
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => {}).on('close', end)
      socket.once('close', () => this.#sockets.delete(socket))
      if (this.#isSilent) socket.pause()
    }
    let isLost = false
    client.on('data', (data) => {
      const when = data.includes('commit\0') ? this.#lostCommit : undefined
      if (when) {
        this.#lostCommit = undefined
        isLost = true
        if (when === 'before') {
          end()
          this.#lose?.()
          return
        }
      }
      server.write(data)
    })
    server.on('data', (data) => {
      if (!isLost) {
        client.write(data)
        return
      }
      end()
      this.#lose?.()
    })
  }
}

const socketName = '.s.PGSQL.5432'
