import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Engine } from '../../engine/engine.ts'
import { requestLink } from '../../engine/identity/auth/magic-links.ts'
import { asCarrelError } from '../../errors.ts'
import type { App } from '../app.ts'
import { readForms } from '../form-body.ts'
import { networkOfRequest } from '../network-of.ts'
import { assertOwnForm } from '../own-form.ts'
import { formPageHeaders } from './page.ts'
import { askForLinkPage, linkSentPage } from './sign-in-pages.ts'
import { signInFacts } from './sign-in-section.ts'

const form = Type.Object({ email: Type.String({ maxLength: 1000 }) })

/** Adds the page on which people ask for a sign-in link, which needs no script. Programs use `POST /login`. */
export function addSignInPages(app: App, engine: Engine): void {
  const facts = ({ baseUrl }: FastifyRequest) => signInFacts(engine, baseUrl)
  app.get('/sign-in', { config: { public: true } }, (request, reply) =>
    reply.headers(formPageHeaders).send(askForLinkPage(facts(request))),
  )
  void app.register(async (scope: App) => {
    readForms(scope)
    scope.post('/sign-in', { schema: { body: form }, config: { public: true, signIn: true } }, (request, reply) => {
      assertOwnForm(request)
      const { email } = request.body
      try {
        requestLink(engine, { email, network: networkOfRequest(request) })
      } catch (error) {
        return askAgain(error, email, request, reply)
      }
      return reply.headers(formPageHeaders).send(linkSentPage(email, facts(request)))
    })
  })

  /** Sends the form again after something that was not a mail address. */
  function askAgain(error: unknown, email: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const known = asCarrelError(error)
    if (known.code !== 'invalid_request') throw known
    const problem = 'This is not a mail address. Check it for a typing error.'
    return reply
      .status(known.status)
      .headers(formPageHeaders)
      .send(askForLinkPage(facts(request), { email, problem }))
  }
}
