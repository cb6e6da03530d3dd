import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Engine } from '../../../engine/engine.ts'
import { signInByGithub } from '../../../engine/identity/auth/github.ts'
import { requestLink } from '../../../engine/identity/auth/magic-links.ts'
import { asCarrelError, CarrelError } from '../../../errors.ts'
import { networkOfRequest } from '../../network-of.ts'
import { formPageHeaders } from '../page.ts'
import { Approvals } from './approvals.ts'
import { callbackOf, callbackWith, type Callback } from './callback.ts'
import { credentialOf, type EnteredCredential } from './credential-of.ts'
import { backFromGithub, hasGithub } from './github-sign-in.ts'
import { giveKey } from './give-key.ts'
import { questionFor } from './question-for.ts'
import { approvalHeaders, approvalPage, cliRefusedPage, cliSignInPage } from './pages.ts'

interface Asked {
  callback_url: string
  state: string
}

/** The steps by which a person signs in and is asked whether a program gets a key. */
export class CliSignIn {
  readonly #engine: Engine
  readonly #approvals = new Approvals()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  start(reply: FastifyReply, callback: Callback, attempt: Parameters<typeof cliSignInPage>[2] = {}): FastifyReply {
    const { mail, settings } = this.#engine
    const facts = { sendsMail: mail.isSent, github: hasGithub(settings) }
    return reply
      .headers({ ...formPageHeaders, 'cache-control': 'no-store' })
      .send(cliSignInPage(facts, callback, attempt))
  }

  byMail(request: FastifyRequest, reply: FastifyReply, form: Asked & { email: string }) {
    const callback = callbackOf(form)
    return this.#again(reply, callback, async () => {
      requestLink(this.#engine, { email: form.email, network: networkOfRequest(request) })
      return this.start(reply, callback, { email: form.email })
    })
  }

  byToken(request: FastifyRequest, reply: FastifyReply, form: Asked & { token: string }) {
    const callback = callbackOf(form)
    return this.#again(reply, callback, async () =>
      this.#ask(reply, callback, await credentialOf(this.#engine, form.token, networkOfRequest(request))),
    )
  }

  byGithub(request: FastifyRequest, reply: FastifyReply, found: { state: string; code?: string; error?: string }) {
    const callback = backFromGithub(request, reply, found.state)
    return this.#again(reply, callback, async () => {
      if (found.code === undefined) throw new CarrelError('unauthenticated', 'Cannot sign in: GitHub did not agree')
      const network = networkOfRequest(request)
      const { accessToken } = await signInByGithub(this.#engine, { code: found.code, network })
      return this.#ask(reply, callback, { credential: accessToken, isNewSignIn: true })
    })
  }

  /** Asks the person who has just signed in. */
  async #ask(reply: FastifyReply, callback: Callback, entered: EnteredCredential): Promise<FastifyReply> {
    const { accountId, ...question } = await questionFor(this.#engine, entered.credential)
    const approvalId = this.#approvals.add({ ...entered, accountId, callback })
    return reply.headers(approvalHeaders(callback)).send(approvalPage({ ...question, approvalId, callback }))
  }

  /** Leads the browser to the program, with a new key or with the refusal. */
  async answer(
    reply: FastifyReply,
    form: { approval: string; workspace: string; name: string; answer: 'agree' | 'refuse' },
  ): Promise<FastifyReply> {
    const approval = this.#approvals.take(form.approval)
    if (!approval) throw new CarrelError('unauthenticated', 'Cannot answer: the page was used already, or is too old')
    const result =
      form.answer === 'agree'
        ? { api_key: await giveKey(this.#engine, approval, { workspaceId: form.workspace, name: form.name }) }
        : { error: 'The sign-in was cancelled in the browser' }
    return reply
      .header('cache-control', 'no-store')
      .header('referrer-policy', 'no-referrer')
      .redirect(callbackWith(approval.callback, result), 303)
  }

  /** Shows the form again after an attempt that was refused. */
  async #again(reply: FastifyReply, callback: Callback, attempt: () => Promise<FastifyReply>): Promise<FastifyReply> {
    try {
      return await attempt()
    } catch (error) {
      const { code, status, message } = asCarrelError(error)
      if (code !== 'unauthenticated' && code !== 'invalid_request' && code !== 'forbidden') throw error
      return this.start(reply.status(status), callback, { problem: `${message}.` })
    }
  }

  /** Answers what cannot go on with a page that says so. */
  async explained(reply: FastifyReply, answer: () => Promise<FastifyReply> | FastifyReply): Promise<FastifyReply> {
    try {
      return await answer()
    } catch (error) {
      const { code, status, message } = asCarrelError(error)
      if (code === 'internal' || code === 'rate_limited') throw error
      return reply
        .status(status)
        .headers({ ...formPageHeaders, 'cache-control': 'no-store' })
        .send(cliRefusedPage(message))
    }
  }
}
