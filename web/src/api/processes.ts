import { request } from './request.ts'

export interface Process {
  id: string
  pid: number | null
  command: string
  kind: string
  user: string
  started_at: string
  cpu_seconds?: number
  memory_bytes?: number
}

export const listProcesses = (signal?: AbortSignal) =>
  request<{ processes: Process[] }>('GET', '/api/processes', { signal })

export const signalProcess = (id: string, signal: 'SIGTERM' | 'SIGKILL') =>
  request<void>('POST', `/api/processes/${encodeURIComponent(id)}/signal`, { body: { signal } })
