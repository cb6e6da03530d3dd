import { CarrelError } from '../../../errors.ts'
import type { FileChange } from '../../../drivers/driver.ts'
import { Glob } from './glob.ts'

interface Patterns {
  include?: string[]
  exclude?: string[]
  /** The only file of the directory that is watched. */
  only?: string
}

/** Throws `invalid_request` for patterns that a watch of `path` cannot use, so that nothing is started for it. */
export function checkPatterns(path: string, patterns: Pick<Patterns, 'include' | 'exclude'>): void {
  new ChangeFilter(path, patterns)
}

/**
 * Decides which changes below a watched directory the client sees. A pattern without a slash matches names at any
 * depth; one with a slash matches paths relative to the watched directory, or absolute ones when it begins with a
 * slash. Whatever is below an excluded directory is excluded too. What is below an included directory has to match by
 * itself, and directories are reported only where they match.
 */
export class ChangeFilter {
  readonly #directory: string
  readonly #include: ((path: string) => boolean)[] | undefined
  readonly #exclude: ((path: string) => boolean)[]
  readonly #only: string | undefined

  /** Throws an `invalid_request` that names the field; also when both kinds of patterns are given. */
  constructor(directory: string, { include, exclude, only }: Patterns) {
    if (include !== undefined && exclude !== undefined) {
      throw new CarrelError(
        'invalid_request',
        'Cannot watch with "include" and "exclude": they cannot be used together; send one of them',
        { details: { field: 'include' } },
      )
    }
    this.#directory = directory
    this.#only = only
    this.#include = include && compile(directory, 'include', include)
    this.#exclude = compile(directory, 'exclude', exclude ?? [])
  }

  /** Returns whether a directory is excluded with everything in it. */
  skips(path: string): boolean {
    return this.#exclude.some((matches) => matches(path))
  }

  /** Returns the change as the client sees it; undefined when it is not visible. */
  apply(change: FileChange): FileChange | undefined {
    const { type, path, directory } = change
    if (type === 'ready' || type === 'overflow' || type === 'gone') return change
    if (type !== 'rename') return this.isVisible(path) ? change : undefined
    const [before, after] = [this.isVisible(change.oldPath!), this.isVisible(path)]
    if (before && after) return change
    if (before) return { type: 'delete', path: change.oldPath!, directory }
    if (after) return { type: change.replaced && !directory ? 'modify' : 'create', path, directory }
    return undefined
  }

  /** Returns whether changes of a path are visible. */
  isVisible(path: string): boolean {
    if (this.#only !== undefined && path !== this.#only) return false
    for (let at = path; at.length > this.#directory.length; at = at.slice(0, at.lastIndexOf('/')))
      if (this.skips(at)) return false
    return !this.#include || this.#include.some((matches) => matches(path))
  }
}

function compile(directory: string, field: string, patterns: string[]): ((path: string) => boolean)[] {
  const from = directory === '/' ? 1 : directory.length + 1
  return patterns.map((pattern) => {
    const trimmed = pattern.replace(/^\.\//, '').replace(/(?<=[^/])\/+$/, '')
    let glob: Glob
    try {
      glob = new Glob(trimmed)
    } catch (error) {
      if (!(error instanceof CarrelError)) throw error
      throw new CarrelError(error.code, error.message, { details: { field } })
    }
    if (trimmed.startsWith('/')) return (path) => glob.matches(path.slice(1))
    if (!trimmed.includes('/')) return (path) => glob.matches(path.slice(path.lastIndexOf('/') + 1))
    return (path) => glob.matches(path.slice(from))
  })
}
