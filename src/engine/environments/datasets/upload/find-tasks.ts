import { lstatSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { limits } from '../../../../config/limits.ts'
import type { TaskFormat } from '../../task.ts'
import { TaskFolder } from '../formats/task-folder.ts'
import { TaskProblem } from '../formats/task-problem.ts'

export type FoundTask =
  | { kind: 'folder'; format: TaskFormat; folder: TaskFolder; /** Relative to the archive. */ place: string }
  | { kind: 'rows'; file: string; place: string }

/**
 * Yields the tasks below a folder: folders with the file of a format, and files of rows. What is inside of a task is not
 * looked at, nor are hidden folders. Links are not followed.
 */
export function* findTasks(root: string, place = '', depth = 0): Generator<FoundTask> {
  if (depth > limits.taskFolderDepth)
    throw new TaskProblem(`has folders more than ${limits.taskFolderDepth} deep`, { file: place })
  const folder = new TaskFolder(root, basename(place))
  const format = formatOf(folder)
  if (format) return yield { kind: 'folder', format, folder, place }
  const names = readdirSync(root)
    .toSorted()
    .filter((name) => !name.startsWith('.'))
  for (const name of names) {
    const below = place ? `${place}/${name}` : name
    const stats = lstatSync(join(root, name))
    if (stats.isDirectory()) yield* findTasks(join(root, name), below, depth + 1)
    else if (stats.isFile() && /\.(jsonl|ndjson|parquet)$/.test(name))
      yield { kind: 'rows', file: join(root, name), place: below }
  }
}

/** Returns the format of a task by the file that it has; undefined for a folder that is no task. */
function formatOf(folder: TaskFolder): TaskFormat | undefined {
  if (folder.hasFile('task.toml')) return 'harbor'
  if (folder.hasFile('sample.toml')) return 'plain'
  if (folder.hasFile('task.yaml')) return folder.hasFile('tests.json') ? 'swe-bench' : 'terminal-bench'
  return undefined
}
