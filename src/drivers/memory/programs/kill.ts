import { parseSignal, type Signal } from '../tasks/signals.ts'
import type { Task } from '../tasks/task.ts'

/** `kill [-SIGNAL] pid...`; a negative pid or 0 stands for all tasks of the caller's process. */
export async function kill(task: Task, words: string[]): Promise<number> {
  const [first = '', ...rest] = words
  const named = first === '-s' ? rest.shift() : /^-[A-Za-z0-9]/.test(first) ? first.slice(1) : undefined
  const signal: Signal | undefined = named === '0' ? undefined : parseSignal(named ?? 'TERM')
  let status = 0
  for (const word of named === undefined ? words : rest.filter((each) => each !== '--')) {
    const pid = Number(word)
    const reached = targets(task, pid)
    if (reached.length === 0 && pid !== 1) {
      await task.print(`kill: (${word}) - No such process\n`, 2)
      status = 1
    }
    if (!signal) continue
    if (pid === 1) task.machine.signalInit(signal)
    for (const each of reached) each.signal(signal)
  }
  // The signal may have ended this task.
  await task.step()
  return status
}

function targets(task: Task, pid: number): Task[] {
  const all = [...task.machine.tasks.values()]
  return pid > 0 ? all.filter((each) => each.pid === pid) : all.filter(({ processId }) => processId === task.processId)
}
