import { readFileSync } from 'node:fs'

/**
 * Returns how many processes of a control group the kernel has OOM-killed: `memory.events` (v2), `memory.oom_control`
 * (v1).
 */
export function readOomKills(path: string): number {
  try {
    return Number(/^oom_kill (\d+)/m.exec(readFileSync(path, 'latin1'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
