import type { MoneyContext } from '../money/money.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { AccountRemovals } from './accounts/account-removals.ts'
import { LiveConnections } from './accounts/live-connections.ts'
import { AccessTokens } from './auth/access-tokens.ts'
import { AuthCache } from './auth/auth-cache.ts'
import { Mail } from './auth/mail.ts'
import { OwnTokens } from './auth/own-tokens.ts'
import { createSigningKey, importSigningKey } from './auth/signing-key.ts'
import { TrustedIssuers } from './auth/trusted-issuers.ts'
import type { Identity } from './identity.ts'

/** Assembles the identity room. Creates the signing key where there is none. */
export async function openIdentity(
  { db, settings, log, server }: MoneyContext,
  secrets: Pick<Secrets, 'get'>,
): Promise<Identity> {
  const accountRemovals = new AccountRemovals()
  const signingKey = await importSigningKey(await secrets.get('signing-key', createSigningKey))
  const accessTokens = new AccessTokens(signingKey, server.origin)
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
