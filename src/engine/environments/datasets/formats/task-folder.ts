import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '../../../../config/limits.ts'
import { TaskProblem } from './task-problem.ts'

/** A folder of files that somebody else wrote. Links in it are never followed. */
export class TaskFolder {
  /** The name of the folder; '' for the root of an archive. */
  readonly name: string
  readonly path: string

  constructor(path: string, name: string) {
    this.path = path
    this.name = name
  }

  hasFile(path: string): boolean {
    return this.#kindOf(path) === 'file'
  }

  hasFolder(path: string): boolean {
    return this.#kindOf(path) === 'folder'
  }

  has(path: string): boolean {
    return this.#kindOf(path) !== undefined
  }

  /** Returns a text file. Throws a `TaskProblem` when it is missing, a link, too long, or not UTF-8. */
  text(path: string): string {
    if (!this.has(path)) throw new TaskProblem('is missing', { file: path })
    if (!this.hasFile(path)) throw new TaskProblem('has to be a file, not a folder or a link', { file: path })
    const file = openSync(join(this.path, path), constants.O_RDONLY | constants.O_NOFOLLOW)
    try {
      if (fstatSync(file).size > limits.taskTextBytes)
        throw new TaskProblem(`is longer than ${limits.taskTextBytes / 1024} KiB`, { file: path })
      return utf8.decode(readFileSync(file))
    } catch (error) {
      if (error instanceof TypeError) throw new TaskProblem('is not UTF-8', { file: path })
      throw error
    } finally {
      closeSync(file)
    }
  }

  /** Returns a text file, or undefined when there is none. */
  textIfAny(path: string): string | undefined {
    return this.has(path) ? this.text(path) : undefined
  }

  /** Throws a `TaskProblem` unless the file is there. Returns its path. */
  requireFile(path: string): string {
    if (this.hasFile(path)) return path
    throw new TaskProblem(this.has(path) ? 'has to be a file, not a folder or a link' : 'is missing', { file: path })
  }

  /** Returns the names in the folder, sorted. */
  names(): string[] {
    return readdirSync(this.path).toSorted()
  }

  #kindOf(path: string): 'file' | 'folder' | 'other' | undefined {
    const parts = path.split('/')
    // A link in the middle of the path is one too.
    for (let depth = 1; depth < parts.length; depth++)
      if (!lstatSync(join(this.path, ...parts.slice(0, depth)), { throwIfNoEntry: false })?.isDirectory())
        return undefined
    const stats = lstatSync(join(this.path, path), { throwIfNoEntry: false })
    if (!stats) return undefined
    if (stats.isFile()) return 'file'
    return stats.isDirectory() ? 'folder' : 'other'
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
