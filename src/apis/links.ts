import type { Links } from '../engine/links.ts'

/** Returns the links that the engine gives to users and programs: pages and routes below the server's origin. */
export function linksBelow(origin: () => string): Links {
  return {
    signIn: (code) => `${origin()}/login/callback?token=${code}`,
    walletSignIn: () => `${origin()}/login`,
    invitation: (code) => `${origin()}/invitation?token=${code}`,
    topUp: () => `${origin()}/topup`,
    playMoney: (paymentId) => `${origin()}/billing/pay/${paymentId}`,
    paid: (paymentId) => `${origin()}/billing/return?payment=${paymentId}`,
    notPaid: (paymentId) => `${origin()}/billing/cancel?payment=${paymentId}`,
  }
}
