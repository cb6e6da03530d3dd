import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Engine } from '../../engine/engine.ts'
import { readLink, redeemLink, requestLink, type NewSession } from '../../engine/identity/auth/magic-links.ts'
import { signInByWallet } from '../../engine/identity/auth/wallet.ts'
import { asCarrelError, CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { readForms } from '../../http/form-body.ts'
import { networkOfRequest } from '../../http/network-of.ts'
import { pageHeaders } from '../../http/pages/page.ts'
import { challengeBody, challengeInstructions, paymentAnswer } from './errors.ts'
import { prefersHtml } from '../../http/prefers-html.ts'
import { refusedPage, signInPage, tokenPage } from './sign-in-page.ts'
import { askForPayment, paymentCredential } from '../../http/payment-auth.ts'
import { loginAnswer, loginBody, loginCallbackAnswer, loginCallbackQuery, readLinkAnswer } from './schemas/sign-in.ts'

export function addSignInRoutes(app: App, engine: Engine): void {
  app.post(
    '/login',
    {
      schema: { body: loginBody, response: { 200: loginAnswer } },
      config: {
        public: true,
        signIn: true,
        documentation: {
          description: 'Login via email magic link OR wallet (MPP zero-dollar identity)',
          returns: {
            email: '{ success, message }; the link is sent by email',
            wallet_no_payment: '402 with a challenge in WWW-Authenticate: Payment',
            wallet_with_payment: '{ token, wallet, creditsRemaining }; the wallet is verified, and the session is open',
          },
          headers: {
            Authorization: {
              required: false,
              description: 'Payment <credential>, which answers the challenge when the request is sent again',
            },
          },
          flows: {
            email: 'POST {email}, open the link in the email, copy the token',
            wallet:
              'POST {wallet}, sign the challenge of the 402 with the wallet, repeat the POST with Authorization: Payment <credential>, copy the token; no money is transferred',
          },
          example: { email: 'you@example.com' },
          errors: ['forbidden', 'rate_limited'],
          answers: { 200: loginAnswer, 402: paymentAnswer },
          notes:
            'Send either email or wallet. The answer is the same whether or not the address has an account. A new account that signs up by email gets the free credit in "pricing", once; one that signs up with a wallet gets it only if the operator allows that.',
        },
      },
    },
    async (request, reply) => {
      const { email, wallet } = request.body
      if ((email === undefined) === (wallet === undefined))
        throw new CarrelError('invalid_request', 'Cannot sign in: send either "email" or "wallet"', {
          details: { field: 'email' },
        })
      if (wallet !== undefined) return walletSession(wallet, request, reply)
      requestLink(engine, { email: email!, network: networkOfRequest(request) })
      return { success: true, message: engine.mail.isSent ? linkIsMailed : linkIsKept }
    },
  )
  app.get(
    '/login/callback',
    {
      // A program that only checks the link must not use it up.
      exposeHeadRoute: false,
      schema: { querystring: loginCallbackQuery },
      config: {
        public: true,
        signIn: true,
        documentation: {
          description: 'Magic link callback (handled automatically)',
          notes:
            'A link works once, within 15 minutes. Opening the link does not use it up, since programs that scan mail open every link; its button does, and so does POST /login/callback {token}.',
          example: { token: 'the-code-of-the-link' },
          errors: ['unauthenticated', 'rate_limited'],
          answers: { 200: readLinkAnswer },
        },
      },
    },
    async ({ query, headers }, reply) => {
      if (prefersHtml(headers))
        return answerPage(reply, async () => signInPage((await readLink(engine, query.token)).email, query.token))
      const { email } = await readLink(engine, query.token)
      return reply.header('cache-control', 'no-store').send({ email, message: howToRedeem })
    },
  )
  void app.register(async (scope: App) => {
    readForms(scope)
    scope.post(
      '/login/callback',
      {
        schema: { body: loginCallbackQuery },
        config: {
          public: true,
          signIn: true,
          documentation: {
            description: 'Use up a magic link, as its page does',
            example: { token: 'the-code-of-the-link' },
            errors: ['unauthenticated', 'rate_limited'],
            answers: { 200: loginCallbackAnswer },
          },
        },
      },
      async (request, reply) => {
        const redeem = () => redeemLink(engine, request.body.token, networkOfRequest(request))
        if (!prefersHtml(request.headers)) return answerJson(await redeem(), reply)
        return answerPage(reply, async () => {
          const { token, expiresAtMs } = await redeem()
          return tokenPage(token, request.baseUrl, expiresAtMs)
        })
      },
    )
  })
  async function walletSession(wallet: string, request: FastifyRequest, reply: FastifyReply) {
    const outcome = await signInByWallet(engine, wallet, {
      credential: paymentCredential(request.headers),
      network: networkOfRequest(request),
    })
    if ('challenges' in outcome) return askForPayment(reply, outcome, challengeBody(challengeInstructions.login))
    const { token, creditMicros, receipt } = outcome
    reply.header('payment-receipt', receipt).header('cache-control', 'no-store')
    return { token, wallet: outcome.wallet, creditsRemaining: creditMicros / 1_000_000 }
  }

  /** Sends a page, or the page that says why the link does not work. */
  async function answerPage(reply: FastifyReply, page: () => Promise<string>): Promise<FastifyReply> {
    reply.headers(pageHeaders)
    try {
      return await reply.send(await page())
    } catch (error) {
      const known = asCarrelError(error)
      if (known.code !== 'unauthenticated') throw error
      return reply.status(known.status).send(refusedPage(known.message))
    }
  }
}

const linkIsMailed = 'Check your email for a link to sign in. It works once, within 15 minutes.'
/** The same for every address, so that it does not reveal which ones can sign in. */
const linkIsKept =
  "This server sends no mail: its operator finds the link to sign in in the folder outbox of the server's data directory. It works once, within 15 minutes."

const howToRedeem =
  'The link is not used up yet. POST /login/callback {"token":"<code of the link>"} signs in, once, and returns the token.'

function answerJson({ token, expiresAtMs, userId }: NewSession, reply: FastifyReply): FastifyReply {
  const expiresIn = Math.round((expiresAtMs - Date.now()) / 1000)
  return reply.header('cache-control', 'no-store').send({ token, expiresIn, userId })
}
