import type { TaskFolder } from './task-folder.ts'
import { TaskProblem } from './task-problem.ts'

/** Returns what a file asks the agent to do, without the canary lines that datasets begin with. */
export function instruction(folder: TaskFolder, file: string): string {
  const text = withoutCanary(folder.text(file))
  if (text.trim() === '') throw new TaskProblem('is empty', { file })
  return text
}

/** Leaves out leading lines that only mark a text as part of a benchmark, so that it can be kept out of training. */
function withoutCanary(text: string): string {
  const lines = text.split('\n')
  const first = lines.findIndex((line) => line.trim() !== '' && !/canary/i.test(line))
  const hasCanary = lines.slice(0, Math.max(first, 0)).some((line) => /canary/i.test(line))
  return hasCanary ? lines.slice(first).join('\n') : text
}
