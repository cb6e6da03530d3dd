import { request } from './request.ts'

export interface Computer {
  id: string
  handle: string
  display_name: string
  state: string
  image_id: string
  memory_mib: number
  storage_bytes: number
  desktop_available: boolean
}

export interface PageSession {
  kind: 'browser' | 'vnc'
  expires_at: string
  view_only: boolean
  shared: boolean
}

export interface ComputerAnswer {
  computer: Computer
  session: PageSession
}

export const getComputer = (signal?: AbortSignal) => request<ComputerAnswer>('GET', '/api/computer', { signal })

interface Use {
  /** Null where it is not known. */
  used_bytes: number | null
  limit_bytes: number
}

export interface Gauges {
  memory: Use
  disk: Use
  cpu: { used_seconds: number; vcpus: number }
  measured_at: string
}

export const getGauges = (signal?: AbortSignal) => request<Gauges>('GET', '/api/gauges', { signal })
