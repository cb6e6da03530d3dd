import { limits } from '../../../config/limits.ts'
import type { EnteredSession } from './enter-session.ts'

/** By the id of a session or a share. */
const open = new Map<string, number>()

/**
 * Counts a connection to what the session shows, a WebSocket of the page or a VNC viewer, until the returned function is
 * called. Returns undefined when the session or the visitors of its share have too many.
 */
export function countConnection({ id, share }: Pick<EnteredSession, 'id' | 'share'>): (() => void) | undefined {
  const counted = new Map<string, number>([[id, limits.socketsPerSession]])
  if (share) counted.set(share.id, limits.socketsPerShare)
  for (const [key, limit] of counted) if ((open.get(key) ?? 0) >= limit) return undefined
  for (const key of counted.keys()) open.set(key, (open.get(key) ?? 0) + 1)
  return () => {
    for (const key of counted.keys()) {
      const left = open.get(key)! - 1
      if (left > 0) open.set(key, left)
      else open.delete(key)
    }
  }
}
