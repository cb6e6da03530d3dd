import { CarrelError } from '../../../errors.ts'
import type { Authenticated } from './tokens.ts'

/**
 * Rejects with `forbidden` for an API key, whatever it is for: what is about people, and about what keys may, takes somebody who is signed
 * in. Else whoever has a key that may do little could let in who may do all. `doing` is the sentence after "Cannot".
 */
export function assertSignedIn({ kind, scopes }: Pick<Authenticated, 'kind' | 'scopes'>, doing: string): void {
  if (kind !== 'api_key' && scopes === null) return
  throw new CarrelError('forbidden', `Cannot ${doing} by an API key: that takes the token of a sign-in`)
}
