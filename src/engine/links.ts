/**
 * The addresses to which the engine sends users and programs. Each is a whole URL; surfaces have the pages and routes.
 */
export interface Links {
  /** Where a user signs in with the code of a mailed link. */
  signIn: (code: string) => string
  /** The route that a wallet signs in by. */
  walletSignIn: () => string
  /** Where a user accepts an invitation. */
  invitation: (code: string) => string
  /** Where an account without credit finds out how to pay; a payment of a program is for this address, too. */
  topUp: () => string
  /** Where a user pays with play money. */
  playMoney: (paymentId: string) => string
  /** Where a user comes back to after paying, and after giving up. */
  paid: (paymentId: string) => string
  notPaid: (paymentId: string) => string
}
