import { FileSystemError } from '../file-system/file-system-error.ts'
import type { Task } from '../tasks/task.ts'

/** Calls `work` with each path, and prints what fails. Returns 1 when something failed, 0 otherwise. */
export async function eachPath(task: Task, paths: string[], work: (path: string) => Promise<void>): Promise<number> {
  let status = 0
  for (const path of paths) {
    await task.step()
    try {
      await work(path)
    } catch (error) {
      if (!(error instanceof FileSystemError)) throw error
      status = await task.complain(`cannot access '${path}': ${error.message}`)
    }
  }
  return status
}
