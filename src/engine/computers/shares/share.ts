import type { ShareRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'

/** What is shown of a share: everything but the hash of its token. */
export type Share = Omit<ShareRow, 'hash' | 'sealed_token'> & {
  /** The token of its link; null once the key that encrypts links is lost. */
  token: string | null
}

/** What the token of every share begins with. */
export const shareTokenPrefix = 'pp_share_'

/** Returns whether a share has neither expired nor been revoked. */
export function isOpen({ expires_at, revoked_at }: Pick<ShareRow, 'expires_at' | 'revoked_at'>): boolean {
  return revoked_at === null && (expires_at === null || expires_at > Date.now())
}

/** Returns the error for a link that opens nothing. It is the same for every reason. */
export function noShare(): CarrelError {
  return new CarrelError('not_found', 'Cannot open the share: its link is wrong, or does not work any more')
}
