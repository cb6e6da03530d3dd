import { CarrelError } from '../../../errors.ts'
import type { ErrorCode } from '../../../errors.ts'
import { ProgramFailure } from './program.ts'
import type { Recipe } from './recipe.ts'

/**
 * Returns the error for a failed installation: `invalid_request` for a fault of the recipe, `no_capacity` for a full
 * disk, `unavailable` for a failure of the host or its network.
 */
export function buildFailure(recipe: Recipe, error: unknown): unknown {
  if (!(error instanceof ProgramFailure)) return error
  const text = error.lines.join('\n')
  const details = { output: text }
  const fail = (code: ErrorCode, reason: string) =>
    new CarrelError(code, `Cannot build image "${recipe.name}": ${reason}`, { details, cause: error })

  const missing =
    /Unable to locate package (\S+)/.exec(text)?.[1] ??
    /Package '?([^\s']+)'? has no installation candidate/.exec(text)?.[1]
  if (missing)
    return fail('invalid_request', `the distribution has no package "${missing}"; mark it with "?" if it is optional`)
  const npmMissing = /^npm error 404\s.*'(@?[^'@]+)@[^']*'/m.exec(text)?.[1]
  if (npmMissing) return fail('invalid_request', `npm has no package "${npmMissing}"`)
  if (/No space left on device|Disk quota exceeded/.test(text))
    return fail(
      'no_capacity',
      'the disk is full; remove images or computers, or move the data directory to a larger disk',
    )
  const last = error.lines.findLast((line) => line.trim() !== '')
  const reason =
    error.lines.find((line) => /^(E: |mount: |npm error (?!code))/.test(line)) ??
    `${error.message}${last === undefined ? '' : `: ${last}`}`
  return fail('unavailable', reason)
}
