import type { Task } from '../tasks/task.ts'

/**
 * Returns the id of a user or group, by its name or number; 0 for an unknown name. `path` is `/etc/passwd` or
 * `/etc/group`.
 */
export function idOf(task: Task, path: string, name: string): number {
  if (/^\d+$/.test(name)) return Number(name)
  return Number(accountOf(task, path, (fields) => fields[0] === name)?.[2] ?? 0)
}

/** Returns the name of a user or group, by its id; `UNKNOWN` when the file at `path` does not have it. */
export function nameOf(task: Task, path: string, id: number): string {
  return accountOf(task, path, (fields) => fields[2] === String(id))?.[0] ?? 'UNKNOWN'
}

function accountOf(task: Task, path: string, matches: (fields: string[]) => boolean): string[] | undefined {
  const node = task.machine.files.lookUp(path)
  const lines = node?.kind === 'file' ? node.bytes.toString('latin1').split('\n') : []
  return lines.map((line) => line.split(':')).find(matches)
}
