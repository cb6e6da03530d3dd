import type { Engine } from '../../engine/engine.ts'
import { signInByGithub } from '../../engine/identity/auth/github.ts'
import { refreshSession } from '../../engine/identity/auth/refresh-session.ts'
import { refreshTokens } from '../../engine/identity/auth/refresh-tokens.ts'
import { CarrelError } from '../../errors.ts'
import type { App } from '../../http/app.ts'
import { networkOfRequest } from '../../http/network-of.ts'
import { githubAnswer, githubBody, refreshAnswer, refreshBody } from './schemas.ts'

/**
 * Adds sign-in with GitHub, and `POST /auth/refresh`. PaperPod's contract has the latter route too: the field that the
 * client sends tells the two apart.
 */
export function addAuthRoutes(app: App, engine: Engine): void {
  app.post(
    '/auth/github',
    {
      schema: { body: githubBody, response: { 200: githubAnswer } },
      config: {
        public: true,
        signIn: true,
        documentation: {
          description: 'Authenticate user with GitHub OAuth',
          example: { code: 'the-code-of-github' },
          errors: ['unauthenticated', 'forbidden', 'rate_limited', 'not_set_up', 'unavailable'],
          notes: 'The access token expires after an hour; POST /auth/refresh {refresh_token} returns the next one.',
        },
      },
    },
    async (request, reply) => {
      const { userId, accessToken, refreshToken, expiresInS, isNew } = await signInByGithub(engine, {
        code: request.body.code,
        network: networkOfRequest(request),
      })
      reply.header('cache-control', 'no-store')
      return {
        user_id: userId,
        access_token: accessToken,
        refresh_token: refreshToken,
        token_type: 'Bearer',
        expires_in: expiresInS,
        is_new_user: isNew,
      }
    },
  )
  app.post(
    '/auth/refresh',
    {
      schema: { body: refreshBody, response: { 200: refreshAnswer } },
      config: {
        public: true,
        signIn: true,
        documentation: {
          description: 'Refresh a token that is about to expire',
          example: { token: 'pp_sess_...' },
          errors: ['unauthenticated', 'conflict', 'rate_limited'],
          important: 'An expired token cannot be renewed: sign in again with POST /login.',
          notes:
            'Only works if token has < 1 hour remaining AND is still valid. If token is already expired, use POST /login instead. A refresh_token works until the one in the answer is used; if the old one is sent after that, the sign-in ends.',
        },
      },
    },
    async ({ body }, reply) => {
      reply.header('cache-control', 'no-store')
      const { token, refresh_token: refreshToken } = body
      if ((token === undefined) === (refreshToken === undefined))
        throw new CarrelError('invalid_request', 'Cannot refresh: send either "token" or "refresh_token"', {
          details: { field: 'token' },
        })
      return token === undefined ? rotated(refreshToken!) : renewed(token)
    },
  )

  /** Renews a session token in its last hour, as PaperPod's document describes. */
  async function renewed(current: string) {
    const { token, expiresInS, userId } = await refreshSession(engine, current)
    return { token, expiresIn: expiresInS, userId }
  }

  /** Exchanges a refresh token for a new pair of tokens. */
  async function rotated(current: string) {
    const { accessToken, refreshToken, expiresInS } = await refreshTokens(engine, current)
    return { access_token: accessToken, refresh_token: refreshToken, token_type: 'Bearer', expires_in: expiresInS }
  }
}
