import { FileSystemError } from '../file-system/file-system-error.ts'
import { DirectoryNode, FileNode, LinkNode, SpecialNode, type Node } from '../file-system/nodes.ts'
import type { Program, Task } from '../tasks/task.ts'
import { eachPath } from './each-path.ts'
import { readOptions } from './options.ts'

/** Programs that create, move, copy and remove files. */
export const filePrograms: Record<string, Program> = {
  mkdir: (task) => {
    const { has, rest } = readOptions(task.argv.slice(1), 'm')
    return eachPath(task, rest, async (path) => {
      const { files } = task.machine
      if (has('p')) return void files.makeDirectories(task.path(path), directoryOf(task))
      const place = files.place(task.path(path.replace(/\/+$/, '')), false)
      files.add(place.directory, place.name, new DirectoryNode(directoryOf(task)))
    })
  },
  rmdir: (task) =>
    eachPath(task, readOptions(task.argv.slice(1)).rest, async (path) => {
      const node = task.machine.files.find(task.path(path), false)
      if (node.kind !== 'directory') throw new FileSystemError('ENOTDIR')
      task.machine.files.remove(node, false)
    }),
  rm: (task) => {
    const { has, rest } = readOptions(task.argv.slice(1))
    return eachPath(task, rest, async (path) => {
      const node = has('f')
        ? task.machine.files.lookUp(task.path(path), false)
        : task.machine.files.find(task.path(path), false)
      if (node?.kind === 'directory' && !has('r') && !has('R')) throw new FileSystemError('EISDIR')
      if (node) task.machine.files.remove(node, true)
    })
  },
  touch: (task) =>
    eachPath(task, readOptions(task.argv.slice(1)).rest, async (path) => {
      const { files } = task.machine
      const node = files.lookUp(task.path(path)) ?? files.openForWriting(task.path(path), fileOf(task))
      node.modifiedAtMs = Date.now()
      files.modified(node)
    }),
  mv: (task) => {
    const [to = '', ...from] = readOptions(task.argv.slice(1)).rest.toReversed()
    return eachPath(task, from.toReversed(), async (path) => {
      const node = task.machine.files.find(task.path(path.replace(/\/+$/, '')), false)
      const { directory, name } = target(task, to, node.name)
      task.machine.files.rename(node, directory, name)
    })
  },
  cp: (task) => {
    const options = readOptions(task.argv.slice(1))
    const [to = '', ...from] = options.rest.toReversed()
    return eachPath(task, from.toReversed(), async (path) => {
      const { files } = task.machine
      const node = files.find(task.path(path), !options.has('a'))
      if (node.kind === 'directory' && !options.has('r') && !options.has('a')) throw new FileSystemError('EISDIR')
      const { directory, name, node: existing } = target(task, to, node.name)
      if (existing?.kind === 'file' && node.kind === 'file') return files.replace(existing, Buffer.from(node.bytes))
      copyInto(task, node, directory, name)
    })
  },
  ln: (task) => {
    const { has, rest } = readOptions(task.argv.slice(1))
    if (!has('s')) return task.complain('this computer has no hard links')
    const [to = '', link] = rest
    return eachPath(task, [link ?? to.split('/').at(-1)!], async (path) => {
      const { files } = task.machine
      const place = target(task, path, to.split('/').at(-1)!)
      if (place.node && has('f')) files.remove(place.node, false)
      files.add(place.directory, place.name, new LinkNode(to, task.user))
    })
  },
  mkfifo: (task) =>
    eachPath(task, task.argv.slice(1), async (path) => {
      const { directory, name } = task.machine.files.place(task.path(path), false)
      task.machine.files.add(directory, name, new SpecialNode('fifo', fileOf(task)))
    }),
  truncate: (task) => {
    const { value, rest } = readOptions(task.argv.slice(1), 's')
    return eachPath(task, rest, async (path) => {
      const { files } = task.machine
      const node = files.openForWriting(task.path(path), fileOf(task))
      if (node.kind === 'file') files.replace(node, Buffer.alloc(Number(value('s') ?? 0)))
    })
  },
  sync: () => 0,
}

function directoryOf({ user: { uid, gid } }: Task) {
  return { mode: 0o755, uid, gid }
}

function fileOf({ user: { uid, gid } }: Task) {
  return { mode: 0o644, uid, gid }
}

/** Returns the place for something called `name`: in the directory `to`, or at `to` itself. */
function target(task: Task, to: string, name: string) {
  const { files } = task.machine
  const node = files.lookUp(task.path(to))
  if (node?.kind === 'directory') return { directory: node, name, node: node.entries.get(name) }
  return files.place(task.path(to), false)
}

function copyInto(task: Task, node: Node, directory: DirectoryNode, name: string): void {
  const { files } = task.machine
  if (node.kind === 'directory') {
    const made = files.add(directory, name, new DirectoryNode(directoryOf(task)))
    for (const entry of node.sorted()) copyInto(task, entry, made, entry.name)
  } else if (node.kind === 'file') {
    const made = files.add(directory, name, new FileNode({ ...fileOf(task), mode: node.mode }))
    files.replace(made, Buffer.from(node.bytes))
  } else if (node.kind === 'symlink') files.add(directory, name, new LinkNode(node.target, task.user))
}
