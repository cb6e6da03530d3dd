import { CarrelError } from '../../../errors.ts'
import type { Authenticated } from './tokens.ts'

/**
 * Throws `forbidden` for an API key, whatever its scopes: managing users and the rights of keys takes a user who is
 * signed in. Otherwise the holder of a narrow key could admit somebody with all rights. `doing` is the rest of the
 * sentence after "Cannot".
 */
export function assertSignedIn({ kind, scopes }: Pick<Authenticated, 'kind' | 'scopes'>, doing: string): void {
  if (kind !== 'api_key' && scopes === null) return
  throw new CarrelError('forbidden', `Cannot ${doing} with an API key: this takes the token of a sign-in`)
}
