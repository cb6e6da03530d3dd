import type { Program } from '../tasks/task.ts'
import { idOf } from './account-files.ts'
import { eachPath } from './each-path.ts'
import { readOptions } from './options.ts'

/** Programs that change the mode and owner of files. */
export const attributePrograms: Record<string, Program> = {
  chmod: (task) => {
    const [mode = '', ...paths] = readOptions(task.argv.slice(1).filter((word) => word !== '-R')).rest
    return eachPath(task, paths, async (path) => {
      const node = task.machine.files.find(task.path(path))
      node.mode = /^\d+$/.test(mode) ? Number.parseInt(mode, 8) : changedMode(node.mode, mode)
      task.machine.files.modified(node)
    })
  },
  chown: (task) => {
    const [owner = '', ...paths] = readOptions(task.argv.slice(1)).rest
    return eachPath(task, paths, async (path) => {
      const node = task.machine.files.find(task.path(path))
      const [uid = '', gid] = owner.split(':')
      node.uid = idOf(task, '/etc/passwd', uid)
      if (gid !== undefined) node.gid = idOf(task, '/etc/group', gid)
      task.machine.files.modified(node)
    })
  },
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
