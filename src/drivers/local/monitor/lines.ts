import type { Socket } from 'node:net'

/**
 * Calls back with the value of each received JSON line. A line over 64 MiB ends the connection; invalid JSON throws.
 */
export function onLines(socket: Socket, handle: (message: unknown) => void): void {
  /** Parts of the incomplete line. They are joined once, however many parts a long line has. */
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
