import type { MoneyContext } from '../money/money.ts'
import { AccountRemovals } from './accounts/account-removals.ts'
import { LiveConnections } from './accounts/live-connections.ts'
import { AccessTokens } from './auth/access-tokens.ts'
import { AuthCache } from './auth/auth-cache.ts'
import { Mail } from './auth/mail.ts'
import { OwnTokens } from './auth/own-tokens.ts'
import { openSigningKey } from './auth/signing-key.ts'
import { TrustedIssuers } from './auth/trusted-issuers.ts'
import type { Identity } from './identity.ts'

/** Assembles the identity room. Reads the signing key from the data directory, or creates it there. */
export async function openIdentity({ db, settings, log, server }: MoneyContext): Promise<Identity> {
  const accountRemovals = new AccountRemovals()
  const accessTokens = new AccessTokens(await openSigningKey(settings.dataDirectory), server.origin)
  const issuers = new TrustedIssuers(settings.oidcIssuers)
  return {
    mail: new Mail(settings, log),
    accessTokens,
    issuers,
    ownTokens: new OwnTokens(accessTokens, issuers),
    authCache: new AuthCache(db),
    liveConnections: new LiveConnections(db, accountRemovals),
    accountRemovals,
  }
}
