import { CarrelError } from '../../../errors.ts'
import type { FileChange } from '../../../drivers/driver.ts'
import { Glob } from './glob.ts'

interface Patterns {
  include?: string[]
  exclude?: string[]
  /** The one file that is watched, of those in the directory. */
  only?: string
}

/**
 * Throws what the patterns of a watch of `path` are refused with, so that nothing is started for a watch that cannot
 * be.
 */
export function checkPatterns(path: string, patterns: Pick<Patterns, 'include' | 'exclude'>): void {
  new ChangeFilter(path, patterns)
}

/**
 * What of a watched directory its viewer wants to see. A pattern without a slash is for names at any depth, one with a
 * slash for paths from the watched directory on, or from the root when it begins with one. What lies in an excluded
 * directory is excluded too; of what is included each is told for itself, and of directories only those that match.
 */
export class ChangeFilter {
  readonly #directory: string
  readonly #include: ((path: string) => boolean)[] | undefined
  readonly #exclude: ((path: string) => boolean)[]
  readonly #only: string | undefined

  /** Throws an `invalid_request` that names the field, also when both kinds are given. */
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

  /** Whether a directory is of no interest with all that is in it. */
  skips(path: string): boolean {
    return this.#exclude.some((matches) => matches(path))
  }

  /** The change as its viewer sees it; undefined for one that is out of view. */
  seen(change: FileChange): FileChange | undefined {
    const { type, path, directory } = change
    if (type === 'ready' || type === 'overflow' || type === 'gone') return change
    if (type !== 'rename') return this.shows(path) ? change : undefined
    const [before, after] = [this.shows(change.oldPath!), this.shows(path)]
    if (before && after) return change
    if (before) return { type: 'delete', path: change.oldPath!, directory }
    if (after) return { type: change.replaced && !directory ? 'modify' : 'create', path, directory }
    return undefined
  }

  /** Whether what happens to it is in view. */
  shows(path: string): boolean {
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
