import { FileSystemError } from '../file-system/file-system-error.ts'
import { DirectoryNode, FileNode, LinkNode, SpecialNode, type Node } from '../file-system/nodes.ts'
import type { Program, Task } from '../tasks/task.ts'
import { matchesPattern } from '../shell/patterns.ts'
import { readOptions } from './options.ts'

/** Programs that create, list, change and remove files. */
export const filePrograms: Record<string, Program> = {
  ls: async (task) => {
    const { has, rest } = readOptions(task.argv.slice(1))
    return each(task, rest.length > 0 ? rest : ['.'], async (path) => {
      const node = task.machine.files.find(task.path(path), !has('d'))
      if (node.kind !== 'directory' || has('d')) return task.print(`${path}\n`)
      const names = node.sorted().map(({ name }) => name)
      const shown = names.filter((name) => has('a') || has('A') || !name.startsWith('.'))
      await task.print(shown.map((name) => `${name}\n`).join(''))
    })
  },
  mkdir: (task) => {
    const { has, rest } = readOptions(task.argv.slice(1), 'm')
    return each(task, rest, async (path) => {
      const { files } = task.machine
      if (has('p')) return void files.makeDirectories(task.path(path), directoryOf(task))
      const place = files.place(task.path(path.replace(/\/+$/, '')), false)
      files.add(place.directory, place.name, new DirectoryNode(directoryOf(task)))
    })
  },
  rmdir: (task) =>
    each(task, readOptions(task.argv.slice(1)).rest, async (path) => {
      const node = task.machine.files.find(task.path(path), false)
      if (node.kind !== 'directory') throw new FileSystemError('ENOTDIR')
      task.machine.files.remove(node, false)
    }),
  rm: (task) => {
    const { has, rest } = readOptions(task.argv.slice(1))
    return each(task, rest, async (path) => {
      const node = has('f')
        ? task.machine.files.lookUp(task.path(path), false)
        : task.machine.files.find(task.path(path), false)
      if (node?.kind === 'directory' && !has('r') && !has('R')) throw new FileSystemError('EISDIR')
      if (node) task.machine.files.remove(node, true)
    })
  },
  touch: (task) =>
    each(task, readOptions(task.argv.slice(1)).rest, async (path) => {
      const { files } = task.machine
      const node = files.lookUp(task.path(path)) ?? files.openForWriting(task.path(path), fileOf(task))
      node.modifiedAtMs = Date.now()
      files.modified(node)
    }),
  mv: (task) => {
    const [to = '', ...from] = readOptions(task.argv.slice(1)).rest.toReversed()
    return each(task, from.toReversed(), async (path) => {
      const node = task.machine.files.find(task.path(path.replace(/\/+$/, '')), false)
      const { directory, name } = target(task, to, node.name)
      task.machine.files.rename(node, directory, name)
    })
  },
  cp: (task) => {
    const options = readOptions(task.argv.slice(1))
    const [to = '', ...from] = options.rest.toReversed()
    return each(task, from.toReversed(), async (path) => {
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
    return each(task, [link ?? to.split('/').at(-1)!], async (path) => {
      const { files } = task.machine
      const place = target(task, path, to.split('/').at(-1)!)
      if (place.node && has('f')) files.remove(place.node, false)
      files.add(place.directory, place.name, new LinkNode(to, task.user))
    })
  },
  mkfifo: (task) =>
    each(task, task.argv.slice(1), async (path) => {
      const { directory, name } = task.machine.files.place(task.path(path), false)
      task.machine.files.add(directory, name, new SpecialNode('fifo', fileOf(task)))
    }),
  chmod: (task) => {
    const [mode = '', ...paths] = readOptions(task.argv.slice(1).filter((word) => word !== '-R')).rest
    return each(task, paths, async (path) => {
      const node = task.machine.files.find(task.path(path))
      node.mode = /^\d+$/.test(mode) ? Number.parseInt(mode, 8) : changedMode(node.mode, mode)
      task.machine.files.modified(node)
    })
  },
  chown: (task) => {
    const [owner = '', ...paths] = readOptions(task.argv.slice(1)).rest
    return each(task, paths, async (path) => {
      const node = task.machine.files.find(task.path(path))
      const [uid = '', gid] = owner.split(':')
      node.uid = idOf(task, '/etc/passwd', uid)
      if (gid !== undefined) node.gid = idOf(task, '/etc/group', gid)
      task.machine.files.modified(node)
    })
  },
  stat: (task) => {
    const { value, rest } = readOptions(task.argv.slice(1), 'c')
    return each(task, rest, async (path) => {
      const node = task.machine.files.find(task.path(path), false)
      await task.print(
        `${(value('c') ?? '%n %s').replaceAll(/%(.)/g, (_, letter: string) => statField(task, node, path, letter))}\n`,
      )
    })
  },
  readlink: (task) => {
    const { has, rest } = readOptions(task.argv.slice(1))
    return each(task, rest, async (path) => {
      const node = task.machine.files.find(task.path(path), has('f'))
      if (node.kind !== 'symlink' && !has('f')) throw new FileSystemError('EINVAL')
      await task.print(`${node.kind === 'symlink' ? node.target : node.path}\n`)
    })
  },
  find: (task) => {
    const [path = '.', ...tests] = task.argv.slice(1)
    const after = (name: string) => (tests.includes(name) ? tests[tests.indexOf(name) + 1] : undefined)
    return each(task, [path], async () => {
      const pattern = after('-name')
      const kind = { f: 'file', d: 'directory', l: 'symlink' }[after('-type') ?? '']
      for (const { node, at, depth } of tree(task.machine.files.find(task.path(path), false), path)) {
        if (depth < Number(after('-mindepth') ?? 0) || depth > Number(after('-maxdepth') ?? Infinity)) continue
        if (kind && node.kind !== kind) continue
        if (pattern === undefined || matchesPattern(node.name, pattern)) await task.print(`${at}\n`)
      }
    })
  },
  truncate: (task) => {
    const { value, rest } = readOptions(task.argv.slice(1), 's')
    return each(task, rest, async (path) => {
      const { files } = task.machine
      const node = files.openForWriting(task.path(path), fileOf(task))
      if (node.kind === 'file') files.replace(node, Buffer.alloc(Number(value('s') ?? 0)))
    })
  },
  sync: () => 0,
}

async function each(task: Task, paths: string[], work: (path: string) => Promise<void>): Promise<number> {
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

/** Returns a mode after a change such as `+x` or `u-w`. */
function changedMode(mode: number, change: string): number {
  const [, who = '', sign, rights = ''] = /^([ugoa]*)([-+])([rwx]+)$/.exec(change) ?? []
  const bits = Array.from(rights).reduce((sum, right) => sum | { r: 0o444, w: 0o222, x: 0o111 }[right]!, 0)
  const mask =
    who === '' || who.includes('a')
      ? 0o777
      : Array.from(who).reduce((sum, one) => sum | { u: 0o700, g: 0o070, o: 0o007 }[one]!, 0)
  return sign === '-' ? mode & ~(bits & mask) : mode | (bits & mask)
}

function idOf(task: Task, path: string, name: string): number {
  if (/^\d+$/.test(name)) return Number(name)
  return Number(accountOf(task, path, (fields) => fields[0] === name)?.[2] ?? 0)
}

function nameOf(task: Task, path: string, id: number): string {
  return accountOf(task, path, (fields) => fields[2] === String(id))?.[0] ?? 'UNKNOWN'
}

function accountOf(task: Task, path: string, matches: (fields: string[]) => boolean): string[] | undefined {
  const node = task.machine.files.lookUp(path)
  const lines = node?.kind === 'file' ? node.bytes.toString('latin1').split('\n') : []
  return lines.map((line) => line.split(':')).find(matches)
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
