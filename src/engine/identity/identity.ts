import type { MoneyContext } from '../money/money.ts'
import type { AccountRemovals } from './accounts/account-removals.ts'
import type { LiveConnections } from './accounts/live-connections.ts'
import type { AccessTokens } from './auth/access-tokens.ts'
import type { AuthCache } from './auth/auth-cache.ts'
import type { Mail } from './auth/mail.ts'
import type { OwnTokens } from './auth/own-tokens.ts'
import type { TrustedIssuers } from './auth/trusted-issuers.ts'

/** What the identity room keeps in memory: users, workspaces, and the tokens that authenticate requests. */
export interface Identity {
  mail: Mail
  accessTokens: AccessTokens
  issuers: TrustedIssuers
  ownTokens: OwnTokens
  authCache: AuthCache
  liveConnections: LiveConnections
  accountRemovals: AccountRemovals
}

/** What functions of the identity room may use. */
export type IdentityContext = MoneyContext & Identity
