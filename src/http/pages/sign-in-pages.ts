import { html } from '../docs/html.ts'
import { siteHeader } from './header.ts'
import { page } from './page.ts'
import { signInSection, type SignInFacts } from './sign-in-section.ts'

/** Returns the page that asks for a sign-in link; again, with what was wrong, after an attempt that failed. */
export function askForLinkPage(facts: SignInFacts, attempt?: { email: string; problem: string }): string {
  return page({
    title: 'Sign in',
    header: siteHeader({ current: 'sign-in' }),
    body: html`<p class="lead">Your token opens the API, the command line and the console of the documentation.</p>
      ${signInSection(facts, attempt)}`,
  })
}

/** Returns the page after that. It is the same whether or not the address has an account. */
export function linkSentPage(email: string, { sendsMail }: Pick<SignInFacts, 'sendsMail'>): string {
  const where = sendsMail
    ? html`<p>
        If <strong>${email}</strong> can sign in here, a message with a link is on its way. Open the link within 15
        minutes, on any device.
      </p>`
    : html`<p>
        If <strong>${email}</strong> can sign in here, a message with a link is in the folder <code>outbox</code> of the
        server's data directory, because the server sends no mail yet. Ask its owner for it within 15 minutes.
      </p>`
  return page({
    title: sendsMail ? 'Look at your mail' : 'Ask for your link',
    header: siteHeader({ current: 'sign-in' }),
    body: html`${where}
      <p class="note">
        Nothing arrives? Look among the spam, check the address, and <a href="/sign-in">ask for another link</a>.
      </p>`,
  })
}
