import type { Engine } from '../../../engine/engine.ts'
import { redeemLink } from '../../../engine/identity/auth/magic-links.ts'

/** A token that somebody has entered, or that a link was exchanged for. */
export interface EnteredCredential {
  credential: string
  isNewSignIn: boolean
}

/** Returns the token of what a person has entered: a token, or a sign-in link, which is used up. Throws as `redeemLink`. */
export async function credentialOf(engine: Engine, entered: string, network: string): Promise<EnteredCredential> {
  const text = entered.trim()
  const code = URL.parse(text)?.searchParams.get('token')
  if (!code) return { credential: text, isNewSignIn: false }
  return { credential: (await redeemLink(engine, code, network)).token, isNewSignIn: true }
}
