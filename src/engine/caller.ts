/** The account on whose behalf something is done, and the token that it was asked with. */
export interface Caller {
  accountId: string
  /** The token's id, for the audit log. */
  tokenId: string
}
