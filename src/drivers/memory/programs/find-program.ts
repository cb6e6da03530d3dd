import { FileSystemError } from '../file-system/file-system-error.ts'
import type { FileNode } from '../file-system/nodes.ts'
import type { Program, Task } from '../tasks/task.ts'

export interface FoundProgram {
  /** undefined when there is none; `why` has the reason, and `status` the exit status that a shell returns for it. */
  program: Program | undefined
  path: string | undefined
  argv: string[]
  why: string
  status: 126 | 127
}

/** The beginning of a built-in program's file; the program's name follows. */
const mark = '\u007fBUILT-IN '

export function builtInFile(name: string): Buffer {
  return Buffer.from(`${mark}${name}\n`, 'latin1')
}

/** Finds the program of a command, in PATH or by its path: a built-in program, or a script with `#!`. */
export function findProgram(
  task: Pick<Task, 'machine' | 'cwd' | 'path'>,
  argv: string[],
  searchPath: string,
): FoundProgram {
  const name = argv[0] ?? ''
  const paths = name.includes('/') ? [name] : name === '' ? [] : searchPath.split(':').map((each) => `${each}/${name}`)
  for (const path of paths) {
    const node = task.machine.files.lookUp(task.path(path))
    if (node?.kind === 'file' && (node.mode & 0o111) !== 0) return programOf(task, node, path, argv)
    if (node && name.includes('/')) {
      const why = node.kind === 'directory' ? 'Is a directory' : 'Permission denied'
      return { program: undefined, path: undefined, argv, why, status: 126 }
    }
  }
  const why = name.includes('/') ? new FileSystemError('ENOENT').message : 'command not found'
  return { program: undefined, path: undefined, argv, why, status: 127 }
}

function programOf(
  task: Pick<Task, 'machine' | 'cwd' | 'path'>,
  node: FileNode,
  path: string,
  argv: string[],
): FoundProgram {
  const head = node.bytes.toString('latin1', 0, 256).split('\n')[0]!
  if (head.startsWith(mark))
    return {
      program: task.machine.programs[head.slice(mark.length)],
      path,
      argv,
      why: 'command not found',
      status: 127,
    }
  const [interpreter = '/bin/sh', ...options] = head.startsWith('#!') ? head.slice(2).trim().split(/ +/) : []
  const script = findProgram(task, [interpreter, ...options, path, ...argv.slice(1)], '')
  return { ...script, path }
}

/** Starts a program as a child of a task. */
export function spawnProgram(task: Task, found: FoundProgram, env: Map<string, string>): Task {
  const { machine, pid, processId, cwd, user, descriptors, ignored } = task
  return machine.spawn(
    { parentPid: pid, processId, argv: found.argv, env, cwd, user, descriptors, ignored },
    found.program!,
  )
}

/** Runs a program as this task, in place of the current one. Returns its exit code. */
export async function startInPlace(task: Task, found: FoundProgram): Promise<number> {
  task.argv = found.argv
  task.handler = undefined
  return found.program!(task)
}
