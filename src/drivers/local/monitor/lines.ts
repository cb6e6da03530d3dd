import type { Socket } from 'node:net'

/** Calls back with each JSON line that comes. A line over 64 MiB or one that is no JSON ends the connection. */
export function onLines(socket: Socket, handle: (message: unknown) => void): void {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    if (rest.length > 64 * 1024 * 1024) socket.destroy()
    for (const line of lines) handle(JSON.parse(line))
  })
}
