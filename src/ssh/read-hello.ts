import type { Duplex } from 'node:stream'
import { limits } from '../config/limits.ts'

/**
 * Waits until a client has named its version, as the protocol has each side do at once, and leaves what it sent to the
 * next reader. Returns false for a client that says something else, nothing in time, or goes: no server starts for it.
 */
export function readHello(socket: Duplex): Promise<boolean> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0)
    const settle = (isClient: boolean) => {
      clearTimeout(timer)
      socket.off('readable', read).off('close', gone).off('end', gone)
      if (isClient) socket.unshift(received)
      resolve(isClient)
    }
    const gone = () => settle(false)
    const read = () => {
      for (let chunk: Buffer | null; (chunk = socket.read() as Buffer | null) !== null;)
        received = Buffer.concat([received, chunk])
      if (!hello.startsWith(received.toString('latin1', 0, hello.length))) return settle(false)
      if (received.length >= hello.length) settle(received.length <= limits.sshHelloBytes)
    }
    const timer = setTimeout(gone, limits.sshHelloMs)
    socket.on('readable', read).once('close', gone).once('end', gone)
  })
}

const hello = 'SSH-'
