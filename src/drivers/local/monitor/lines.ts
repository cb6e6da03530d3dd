import type { Socket } from 'node:net'

/** Calls back with each JSON line that comes. A line over 64 MiB or one that is no JSON ends the connection. */
export function onLines(socket: Socket, handle: (message: unknown) => void): void {
  /** The line that is not whole yet: it is put together once, however many parts a long one comes in. */
  let begun: string[] = []
  let length = 0
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const [first, ...others] = chunk.split('\n') as [string, ...string[]]
    begun.push(first)
    length += first.length
    if (length > maxLineLength) socket.destroy()
    if (others.length === 0) return
    const rest = others.pop()!
    const lines = [begun.join(''), ...others]
    begun = [rest]
    length = rest.length
    for (const line of lines) handle(JSON.parse(line))
  })
}

const maxLineLength = 64 * 1024 * 1024
