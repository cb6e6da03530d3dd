import { request } from './request.ts'

export type Visibility = 'public' | 'private'

export interface Port {
  port: number
  /** Empty for a port without a name. */
  name: string
  /** Null for a port that something listens on and that is not published. */
  visibility: Visibility | null
  url: string | null
  listening: boolean
}

export const listPorts = (signal?: AbortSignal) => request<{ ports: Port[] }>('GET', '/api/ports', { signal })

export const publishPort = (port: number, visibility: Visibility) =>
  request<unknown>('POST', '/api/ports', { body: { port, visibility } })

export const withdrawPort = (port: number) => request<void>('DELETE', `/api/ports/${port}`)

/** Returns where a visitor of the page opens a private port: the server leads there with the visitor's own session. */
export const entranceTo = (port: number) => `/api/ports/${port}/open`
