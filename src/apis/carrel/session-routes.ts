import { endOtherSessions, endSession, listSessions } from '../../engine/identity/accounts/sessions.ts'
import type { Engine } from '../../engine/engine.ts'
import type { App } from '../../http/app.ts'
import { sessionOut } from './mapping.ts'
import { endSessionAnswer, endSessionsAnswer, sessionParams, sessionsAnswer } from './schemas.ts'

/** A person's sign-ins: to see them, and to sign out. */
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
          notes: 'Without their tokens, and without API keys. Takes the token of a sign-in.',
        },
      },
    },
    async ({ caller }) => ({ sessions: (await listSessions(engine, caller)).map(sessionOut) }),
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
          notes: 'Ends every sign-in of the current user but the one that asks. API keys stay.',
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
            'By the id of a sign-in, or "current". Its token, and every token that is renewed by it, is refused from the next request on. A token of an OpenID issuer ends where it was made.',
        },
      },
    },
    async ({ params, caller }) => ({
      message: 'Signed out',
      session_id: await endSession(engine, caller, params.sessionId),
    }),
  )
}
