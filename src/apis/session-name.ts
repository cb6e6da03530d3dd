import { Type } from 'typebox'
import { limits } from '../config/limits.ts'
import { patterns } from '../http/patterns.ts'

/**
 * The schema of a sandbox's name. Names are compared as they are: a client that makes them from the ids of its users can
 * rely on different ids naming different sandboxes.
 */
export const sessionName = Type.String({
  description:
    'The name of a sandbox of the account; without it, the default sandbox. Any printable text, on one line; two names are the same only if each character is',
  maxLength: limits.sessionIdLength,
  pattern: patterns.printable.source,
})
