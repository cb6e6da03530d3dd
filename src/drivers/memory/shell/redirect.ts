import { FileSystemError } from '../file-system/file-system-error.ts'
import { fileDescriptor, specialDescriptor, type Descriptor } from '../tasks/descriptor.ts'
import { Pipe } from '../tasks/pipe.ts'
import type { Task } from '../tasks/task.ts'
import { expandText } from './expand.ts'
import type { Shell } from './shell.ts'
import type { Redirection } from './syntax.ts'

/** Redirections that are applied, for one command or permanently. */
export interface Redirected {
  restore: () => void
  keep: () => void
}

/** Applies the redirections of a command. When one fails, prints why and resolves with undefined. */
export async function redirect(shell: Shell, redirections: Redirection[]): Promise<Redirected | undefined> {
  const { task } = shell
  const before: [number, Descriptor | undefined][] = []
  const put = (number: number, descriptor: Descriptor | undefined) => {
    const old = task.descriptors.get(number)
    // Retained, as it may be restored.
    old?.retain()
    before.push([number, old])
    task.setDescriptor(number, descriptor)
  }
  const restore = () => {
    for (const [number, descriptor] of before.toReversed()) {
      if (!task.end) task.setDescriptor(number, descriptor)
      descriptor?.release()
    }
  }
  for (const redirection of redirections) {
    const target = await expandText(shell, redirection.target)
    try {
      apply(task, redirection, target, put)
    } catch (error) {
      restore()
      if (!(error instanceof FileSystemError) && !(error instanceof BadDescriptor)) throw error
      await task.print(`${shell.name}: line 1: ${target}: ${error.message}\n`, 2)
      shell.status = 1
      return undefined
    }
  }
  const keep = () => {
    for (const [, descriptor] of before) descriptor?.release()
  }
  return { restore, keep }
}

class BadDescriptor extends Error {
  constructor() {
    super('Bad file descriptor')
  }
}

function apply(
  task: Task,
  { operator, number }: Redirection,
  target: string,
  put: (number: number, descriptor: Descriptor | undefined) => void,
): void {
  if (operator === '<<') return put(number, textDescriptor(target))
  if (operator === '<<<') return put(number, textDescriptor(`${target}\n`))
  if (operator === '<') return put(number, openForReading(task, target))
  const isCopy = operator === '<&' || (operator === '>&' && /^(\d+|-)$/.test(target))
  if (!isCopy) {
    const descriptor = openForWriting(task, target, operator === '>>')
    put(number, descriptor)
    if (operator === '&>' || operator === '>&') put(2, descriptor)
    return
  }
  const isMoved = target.endsWith('-')
  const from = isMoved ? target.slice(0, -1) : target
  const descriptor = from === '' ? undefined : task.descriptors.get(Number(from))
  if (from !== '' && !descriptor) throw new BadDescriptor()
  put(number, descriptor)
  if (isMoved && from !== '') put(Number(from), undefined)
}

export function openForReading(task: Task, path: string): Descriptor {
  const { files } = task.machine
  const node = files.find(task.path(path))
  if (node.kind === 'special') return specialDescriptor(node)
  if (node.kind !== 'file') throw new FileSystemError('EISDIR')
  return fileDescriptor(files, node, false)
}

export function openForWriting(task: Task, path: string, isAppending: boolean): Descriptor {
  const { files } = task.machine
  const { uid, gid } = task.user
  const node = files.openForWriting(task.path(path), { mode: 0o644, uid, gid })
  if (node.kind === 'special') return specialDescriptor(node)
  if (!isAppending) files.replace(node, Buffer.alloc(0))
  return fileDescriptor(files, node, isAppending)
}

function textDescriptor(text: string): Descriptor {
  const pipe = new Pipe()
  pipe.reader.retain()
  pipe.writer.retain()
  void pipe.writer
    .write(Buffer.from(text, 'latin1'))
    .catch(() => {})
    .finally(() => pipe.writer.release())
  return pipe.reader
}
