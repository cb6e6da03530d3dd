import { readdirSync, readlinkSync } from 'node:fs'

/** Returns the targets of the descriptors of a host process. */
export function readOpenFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
    } catch {
      return []
    }
  })
}
