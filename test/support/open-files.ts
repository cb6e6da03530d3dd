import { readdirSync, readlinkSync } from 'node:fs'

/** What the descriptors of a process of the host lead to. */
export function readOpenFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
    } catch {
      return []
    }
  })
}
