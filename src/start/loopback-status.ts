import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'

interface Request {
  host: string
  port: number
  path: string
  /** Default: the address. */
  hostHeader?: string
  signal: AbortSignal
}

/** Requests an address of this server over a connection of its own. Returns the status of the response. */
export async function loopbackStatus({ hostHeader, ...options }: Request): Promise<number> {
  const headers = hostHeader === undefined ? {} : { host: hostHeader }
  const request = get({ ...options, headers, agent: false })
  // `once` hears the first error alone.
  request.on('error', () => {})
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.resume()
  return response.statusCode!
}
