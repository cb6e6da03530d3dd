import type { Engine } from '../../engine/engine.ts'
import { signInByGithub } from '../../engine/identity/auth/github.ts'
import type { App } from '../../http/app.ts'
import { networkOfRequest } from '../../http/network-of.ts'
import { githubAnswer, githubBody } from './schemas.ts'

/** `POST /auth/refresh` is one route with PaperPod's, which has it. */
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
          returns: '{ user_id, access_token, refresh_token, token_type, expires_in, is_new_user }',
          example: { code: 'the-code-of-github' },
          errors: ['unauthenticated', 'forbidden', 'rate_limited', 'not_set_up', 'unavailable'],
          notes: 'The access token ends after an hour; POST /auth/refresh {refresh_token} gives the next one.',
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
}
