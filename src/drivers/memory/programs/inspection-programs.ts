import { FileSystemError } from '../file-system/file-system-error.ts'
import type { Node } from '../file-system/nodes.ts'
import { matchesPattern } from '../shell/patterns.ts'
import type { Program, Task } from '../tasks/task.ts'
import { nameOf } from './account-files.ts'
import { eachPath } from './each-path.ts'
import { readOptions } from './options.ts'

/** Programs that list and describe files. */
export const inspectionPrograms: Record<string, Program> = {
  ls: async (task) => {
    const { has, rest } = readOptions(task.argv.slice(1))
    return eachPath(task, rest.length > 0 ? rest : ['.'], async (path) => {
      const node = task.machine.files.find(task.path(path), !has('d'))
      if (node.kind !== 'directory' || has('d')) return task.print(`${path}\n`)
      const names = node.sorted().map(({ name }) => name)
      const shown = names.filter((name) => has('a') || has('A') || !name.startsWith('.'))
      await task.print(shown.map((name) => `${name}\n`).join(''))
    })
  },
  stat: (task) => {
    const { value, rest } = readOptions(task.argv.slice(1), 'c')
    return eachPath(task, rest, async (path) => {
      const node = task.machine.files.find(task.path(path), false)
      await task.print(
        `${(value('c') ?? '%n %s').replaceAll(/%(.)/g, (_, letter: string) => statField(task, node, path, letter))}\n`,
      )
    })
  },
  readlink: (task) => {
    const { has, rest } = readOptions(task.argv.slice(1))
    return eachPath(task, rest, async (path) => {
      const node = task.machine.files.find(task.path(path), has('f'))
      if (node.kind !== 'symlink' && !has('f')) throw new FileSystemError('EINVAL')
      await task.print(`${node.kind === 'symlink' ? node.target : node.path}\n`)
    })
  },
  find: (task) => {
    const [path = '.', ...tests] = task.argv.slice(1)
    const after = (name: string) => (tests.includes(name) ? tests[tests.indexOf(name) + 1] : undefined)
    return eachPath(task, [path], async () => {
      const pattern = after('-name')
      const kind = { f: 'file', d: 'directory', l: 'symlink' }[after('-type') ?? '']
      for (const { node, at, depth } of tree(task.machine.files.find(task.path(path), false), path)) {
        if (depth < Number(after('-mindepth') ?? 0) || depth > Number(after('-maxdepth') ?? Infinity)) continue
        if (kind && node.kind !== kind) continue
        if (pattern === undefined || matchesPattern(node.name, pattern)) await task.print(`${at}\n`)
      }
    })
  },
}

function statField(task: Task, node: Node, path: string, letter: string): string {
  const fields: Record<string, () => string> = {
    n: () => path,
    s: () => String(node.kind === 'file' ? node.sizeBytes : 0),
    a: () => node.mode.toString(8),
    u: () => String(node.uid),
    g: () => String(node.gid),
    U: () => nameOf(task, '/etc/passwd', node.uid),
    G: () => nameOf(task, '/etc/group', node.gid),
    Y: () => String(Math.floor(node.modifiedAtMs / 1000)),
    F: () => ({ file: 'regular file', directory: 'directory', symlink: 'symbolic link', special: 'fifo' })[node.kind],
  }
  return fields[letter]?.() ?? '?'
}

function* tree(node: Node, at: string, depth = 0): Generator<{ node: Node; at: string; depth: number }> {
  yield { node, at, depth }
  if (node.kind !== 'directory') return
  for (const entry of node.sorted())
    yield* tree(entry, at.endsWith('/') ? at + entry.name : `${at}/${entry.name}`, depth + 1)
}
