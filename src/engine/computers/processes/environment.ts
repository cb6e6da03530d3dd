import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'

/**
 * Returns the environment of a process: Carrel's defaults, then the image's variables, then the caller's; later ones
 * win. Throws `invalid_request` for variables that are too many or not allowed.
 */
export function environment(
  imageEnv: Record<string, string>,
  own: Record<string, string> | undefined,
): Record<string, string> {
  const entries = Object.entries(own ?? {})
  if (entries.length > limits.environmentEntries) {
    throw new CarrelError(
      'invalid_request',
      `Cannot set the environment: it has more than ${limits.environmentEntries} variables`,
      { details: { field: 'env' } },
    )
  }
  for (const [name, value] of entries) {
    if (!/^[^=\0]+$/.test(name) || name.length > limits.environmentNameLength || value.includes('\0')) {
      throw new CarrelError(
        'invalid_request',
        `Cannot set variable ${JSON.stringify(name.slice(0, 80))}: its name or value is not allowed`,
        { details: { field: 'env' } },
      )
    }
  }
  return { LANG: 'C.UTF-8', PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...imageEnv, ...own }
}
