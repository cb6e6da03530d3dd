import { readFileSync } from 'node:fs'

/** How often the kernel ended a process of a cgroup for lack of memory: `memory.events` (v2) or `memory.oom_control` (v1). */
export function readOomKills(path: string): number {
  try {
    return Number(/^oom_kill (\d+)/m.exec(readFileSync(path, 'latin1'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
