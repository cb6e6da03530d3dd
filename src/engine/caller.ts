/** The account on whose behalf something is done, and the token that authorizes it. */
export interface Caller {
  accountId: string
  /** The token's id, for the audit log. */
  tokenId: string
  /**
   * True for work of the server itself, such as the start-up test: it is neither refused for lack of credit nor
   * charged.
   */
  isServer?: true
}
