import { openForReading } from '../shell/redirect.ts'
import type { Task } from '../tasks/task.ts'

/** Calls `work` with each file as stdin, or once with the task's own stdin when there are no files. */
export async function eachInput(task: Task, paths: string[], work: () => Promise<void>): Promise<number> {
  if (paths.length === 0) {
    await work()
    return 0
  }
  const before = task.descriptors.get(0)
  before?.retain()
  let status = 0
  for (const path of paths) {
    try {
      task.setDescriptor(0, path === '-' ? before : openForReading(task, path))
      await work()
    } catch (error) {
      if (task.end || !(error instanceof Error)) throw error
      status = await task.complain(`${path}: ${error.message}`)
    }
  }
  before?.release()
  return status
}
