import { unescape } from '../shell/parse-words.ts'
import type { Task } from '../tasks/task.ts'

/** `echo [-neE] [word...]` */
export async function echo(task: Task, words: string[]): Promise<number> {
  const count = words.findIndex((word) => !/^-[neE]+$/.test(word))
  const options = words.slice(0, count === -1 ? words.length : count).join('')
  const text = words.slice(count === -1 ? words.length : count).join(' ')
  await task.print((options.includes('e') ? unescape(text) : text) + (options.includes('n') ? '' : '\n'))
  return 0
}
