import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/**
 * Measures requests per second of a route whose answers all have the same length, over connections that send the next
 * request as soon as they are answered. The client does so little that the server is the bottleneck.
 */
export class Flood {
  readonly #sockets: Socket[]
  readonly #request: Buffer
  #answerBytes = 0

  private constructor(sockets: Socket[], request: Buffer) {
    this.#sockets = sockets
    this.#request = request
  }

  /** Opens the connections. Rejects if the first answer is not 200. */
  static async open(port: number, path: string, connections: number, token?: string): Promise<Flood> {
    const sockets = Array.from({ length: connections }, () => connect(port, '127.0.0.1').setNoDelay())
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    const lines = [`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...(token ? [`Authorization: Bearer ${token}`] : [])]
    const flood = new Flood(sockets, Buffer.from(`${lines.join('\r\n')}\r\n\r\n`))
    const [first] = sockets as [Socket]
    first.write(flood.#request)
    const [answer] = (await once(first, 'data')) as [Buffer]
    if (!answer.toString().startsWith('HTTP/1.1 200')) throw new Error(`${path} answered ${answer.toString()}`)
    flood.#answerBytes = answer.length
    return flood
  }

  /** Returns answers per second over a number of requests. */
  async run(count: number): Promise<number> {
    const started = performance.now()
    let asked = 0
    await Promise.all(
      this.#sockets.map(
        (socket) =>
          new Promise<void>((resolve, reject) => {
            let bytes = 0
            const next = () => {
              if (asked++ < count) return socket.write(this.#request)
              socket.off('data', take).off('close', reject)
              resolve()
            }
            const take = (data: Buffer) => {
              bytes += data.length
              if (bytes < this.#answerBytes) return
              if (bytes > this.#answerBytes) return reject(new Error('An answer is longer than the first one'))
              bytes = 0
              next()
            }
            socket.on('data', take).once('close', reject)
            next()
          }),
      ),
    )
    return (count / (performance.now() - started)) * 1000
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
