import { request } from './request.ts'

export interface Terminal {
  id: string
  title: string
  started_at: string
  exited: boolean
}

export const listTerminals = (signal?: AbortSignal) =>
  request<{ terminals: Terminal[] }>('GET', '/api/terminals', { signal })

export const openTerminal = (size: { cols: number; rows: number }) =>
  request<{ terminal: Terminal }>('POST', '/api/terminals', { body: size })

export const closeTerminal = (id: string) => request<void>('DELETE', `/api/terminals/${encodeURIComponent(id)}`)

export const terminalSocketPath = (id: string, after: number) =>
  `/api/terminals/${encodeURIComponent(id)}/socket?after=${after}`
