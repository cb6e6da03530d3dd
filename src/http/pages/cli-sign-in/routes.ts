import { Type } from 'typebox'
import type { Engine } from '../../../engine/engine.ts'
import type { App } from '../../app.ts'
import { readForms } from '../../form-body.ts'
import { assertOwnForm } from '../../own-form.ts'
import { callbackOf } from './callback.ts'
import { CliSignIn } from './cli-sign-in.ts'
import { leadToGithub } from './github-sign-in.ts'
import { maxToken } from './pages.ts'

const text = (maxLength: number, minLength = 1) => Type.String({ minLength, maxLength })
const request = { callback_url: text(1000, 0), state: text(512) }
const asked = Type.Object(request)
const mailForm = Type.Object({ ...request, email: text(1000) })
const tokenForm = Type.Object({ ...request, token: text(maxToken) })
const answerForm = Type.Object({
  approval: text(100),
  workspace: text(128),
  name: text(100, 0),
  answer: Type.Enum(['agree', 'refuse']),
})
const fromGithub = Type.Object({
  state: text(512),
  code: Type.Optional(text(512)),
  error: Type.Optional(text(512)),
})

/**
 * Adds the pages by which a program, such as a command line, gets an API key with the consent of a person: it opens
 * `/api/cli/auth?callback_url=…&state=…` in a browser, and waits at the callback, on the same machine, for
 * `?state=…&api_key=…`.
 */
export function addCliSignIn(app: App, engine: Engine): void {
  const pages = new CliSignIn(engine)
  // Every step is counted, as each of them may be one of many attempts.
  const config = { public: true, signIn: true }
  app.get('/api/cli/auth', { schema: { querystring: asked }, config }, (request, reply) =>
    pages.explained(reply, async () => pages.start(reply, callbackOf(request.query))),
  )
  app.get('/api/cli/auth/github', { schema: { querystring: asked }, config }, (request, reply) =>
    pages.explained(reply, async () => leadToGithub(engine.settings, request, reply, callbackOf(request.query))),
  )
  const back = { schema: { querystring: fromGithub }, exposeHeadRoute: false, config }
  app.get('/api/cli/auth/github/callback', back, (request, reply) =>
    pages.explained(reply, () => pages.byGithub(request, reply, request.query)),
  )
  void app.register(async (scope: App) => {
    readForms(scope)
    scope.post('/api/cli/auth/mail', { schema: { body: mailForm }, config }, (request, reply) => {
      assertOwnForm(request)
      return pages.explained(reply, async () => pages.byMail(request, reply, request.body))
    })
    scope.post('/api/cli/auth', { schema: { body: tokenForm }, config }, (request, reply) => {
      assertOwnForm(request)
      return pages.explained(reply, () => pages.byToken(request, reply, request.body))
    })
    scope.post('/api/cli/auth/answer', { schema: { body: answerForm }, config }, (request, reply) => {
      assertOwnForm(request)
      return pages.explained(reply, () => pages.answer(reply, request.body))
    })
  })
}
