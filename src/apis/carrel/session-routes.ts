import { endOtherSessions, endSession, listSessions } from '../../engine/identity/accounts/sessions.ts'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { sessionAnswerOf } from './mapping.ts'
import { endSessionAnswer, endSessionsAnswer, sessionParams, sessionsAnswer } from './schemas.ts'

/** Adds the routes that list a user's sign-ins, and sign out. */
export function addSessionRoutes(app: App, engine: Engine): void {
  app.get(
    '/users/me/sessions',
    {
      schema: { response: { 200: sessionsAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'List the sign-ins of the current user',
          errors: ['forbidden'],
          notes: 'Tokens and API keys are not shown. Requires the token of a sign-in.',
        },
      },
    },
    async ({ caller }) => ({ sessions: (await listSessions(engine, caller)).map(sessionAnswerOf) }),
  )
  app.delete(
    '/users/me/sessions',
    {
      schema: { response: { 200: endSessionsAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Sign out everywhere else',
          errors: ['forbidden'],
          notes: 'Ends every sign-in of the current user except that of this request. API keys are kept.',
        },
      },
    },
    async ({ caller }) => {
      const ended = await endOtherSessions(engine, caller)
      return { message: `Signed out of ${ended} other ${ended === 1 ? 'session' : 'sessions'}`, ended }
    },
  )
  app.delete(
    '/users/me/sessions/:sessionId',
    {
      schema: { params: sessionParams, response: { 200: endSessionAnswer } },
      config: {
        scope: 'account',
        documentation: {
          description: 'Sign out',
          errors: ['forbidden', 'not_found'],
          notes:
            'Ends a sign-in by its id, or "current". Its token, and every token renewed from it, is refused from the next request on. A token of an OpenID issuer can only be ended by its issuer.',
        },
      },
    },
    async ({ params, caller }) => ({
      message: 'Signed out',
      session_id: await endSession(engine, caller, params.sessionId),
    }),
  )
}
