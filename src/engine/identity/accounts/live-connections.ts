import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { AccountRemovals } from './account-removals.ts'
import { asCarrelError } from '../../../errors.ts'
import { invalidTokens } from './invalid-tokens.ts'
import { lapsedMemberships } from './lapsed-memberships.ts'
import type { Authenticated } from './tokens.ts'

interface Open {
  caller: Authenticated
  end: (reason: string) => void
}

/**
 * Who has something open that outlives the request it came with, such as a WebSocket or a stream of events: it ends with the token that
 * opened it, with the membership, and with the account.
 */
export class LiveConnections {
  readonly #db: Kysely<Database>
  readonly #open = new Set<Open>()

  constructor(db: Kysely<Database>, accountRemovals: AccountRemovals) {
    this.#db = db
    accountRemovals.on((accountId) => {
      for (const { caller, end } of this.#open) if (caller.accountId === accountId) end('the account is deleted')
    })
  }

  /** `end` must not throw, and may be called more than once. Call what this returns when it is closed. */
  add(caller: Authenticated, end: (reason: string) => void): () => void {
    const open = { caller, end }
    this.#open.add(open)
    return () => void this.#open.delete(open)
  }

  /** Ends what is open for those who would be refused by now. */
  async endLapsed(): Promise<void> {
    if (this.#open.size === 0) return
    const all = [...this.#open]
    const ids = all.filter(({ caller }) => !caller.verifyAgain).map(({ caller }) => caller.tokenId)
    const invalid = await invalidTokens(this.#db, ids)
    const people = all.flatMap(({ caller: { accountId, userId }, end }) =>
      userId === null ? [] : [{ accountId, userId, end }],
    )
    const left = await lapsedMemberships(this.#db, people)
    for (const { caller, end } of all) if (invalid.has(caller.tokenId)) end('the token is no longer valid')
    for (const { end } of left) end('its person has left the workspace')
    const ofIssuers = all.filter(({ caller }) => caller.verifyAgain)
    await Promise.all(
      ofIssuers.map(async ({ caller, end }) => {
        if (!(await isStillGood(caller))) end('the token is no longer valid')
      }),
    )
  }
}

/** Of an issuer's token; that the issuer cannot be asked just now ends nothing. */
async function isStillGood({ verifyAgain }: Authenticated): Promise<boolean> {
  try {
    await verifyAgain?.()
    return true
  } catch (error) {
    return asCarrelError(error).code !== 'unauthenticated'
  }
}
