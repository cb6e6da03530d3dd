import type { Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import type { AccountRemovals } from './account-removals.ts'
import { asCarrelError } from '../../../errors.ts'
import { invalidTokens } from './invalid-tokens.ts'
import { lapsedMemberships } from './lapsed-memberships.ts'
import type { Authenticated } from './tokens.ts'

interface Connection {
  caller: Authenticated
  end: (reason: string) => void
}

/**
 * The connections that outlive the request that opened them, such as WebSockets and event streams. Each ends with the
 * token that opened it, with the user's membership, and with the account.
 */
export class LiveConnections {
  readonly #db: Kysely<Database>
  readonly #connections = new Set<Connection>()

  constructor(db: Kysely<Database>, accountRemovals: AccountRemovals) {
    this.#db = db
    accountRemovals.on((accountId) => {
      for (const { caller, end } of this.#connections) if (caller.accountId === accountId) end('the account is deleted')
    })
  }

  /**
   * Adds a connection. `end` must not throw, and can be called more than once. Returns a function to call when the
   * connection is closed.
   */
  add(caller: Authenticated, end: (reason: string) => void): () => void {
    const connection = { caller, end }
    this.#connections.add(connection)
    return () => void this.#connections.delete(connection)
  }

  /** Ends the connections of callers that would be refused now. */
  async endLapsed(): Promise<void> {
    if (this.#connections.size === 0) return
    const all = [...this.#connections]
    const ids = all.filter(({ caller }) => !caller.verifyAgain).map(({ caller }) => caller.tokenId)
    const invalid = await invalidTokens(this.#db, ids)
    const memberships = all.flatMap(({ caller: { accountId, userId }, end }) =>
      userId === null ? [] : [{ accountId, userId, end }],
    )
    const lapsed = await lapsedMemberships(this.#db, memberships)
    for (const { caller, end } of all) if (invalid.has(caller.tokenId)) end('the token is no longer valid')
    for (const { end } of lapsed) end('its user has left the workspace')
    const ofIssuers = all.filter(({ caller }) => caller.verifyAgain)
    await Promise.all(
      ofIssuers.map(async ({ caller, end }) => {
        if (!(await isStillValid(caller))) end('the token is no longer valid')
      }),
    )
  }
}

/** Returns whether an issuer's token is valid. An issuer that does not answer ends nothing. */
async function isStillValid({ verifyAgain }: Authenticated): Promise<boolean> {
  try {
    await verifyAgain?.()
    return true
  } catch (error) {
    return asCarrelError(error).code !== 'unauthenticated'
  }
}
