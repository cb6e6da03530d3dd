import { html, type Html } from '../../docs/html.ts'
import { formPageHeaders, page } from '../page.ts'
import type { SignInFacts } from '../sign-in-section.ts'
import { sourceOf, type Callback } from './callback.ts'

/** What the server offers to people who sign in for a program. */
export interface CliSignInFacts extends Pick<SignInFacts, 'sendsMail'> {
  /** Whether people sign in by GitHub, too. */
  github: boolean
}

interface Attempt {
  /** Why the last attempt failed. */
  problem?: string | undefined
  /** The address that a link was sent to. */
  email?: string
}

/** Returns the page on which a person signs in so that a program gets a key. */
export function cliSignInPage(facts: CliSignInFacts, callback: Callback, { problem, email }: Attempt = {}): string {
  const { github, sendsMail } = facts
  return page({
    title: email === undefined ? 'Sign in for the command line' : 'Look at your mail',
    body: html`${who(callback)} ${problem !== undefined && html`<p class="problem" role="alert">${problem}</p>`}
    ${email !== undefined && linkIsSent(email)} ${github && email === undefined && githubSection(callback)}
    ${sendsMail && email === undefined && mailSection(callback)} ${tokenSection(facts, callback, email !== undefined)}`,
  })
}

function who({ url }: Callback): Html {
  return html`<p class="lead">
      A program on your computer, at <strong>${url.host}</strong>, asks for a key to your account.
    </p>
    <p>Go on only if you have just started that yourself, such as by <code>login</code> in a terminal.</p>`
}

function fields({ url, state }: Callback): Html {
  return html`<input type="hidden" name="callback_url" value="${url.href}" />
    <input type="hidden" name="state" value="${state}" />`
}

function githubSection({ url, state }: Callback): Html {
  const query = new URLSearchParams({ callback_url: url.href, state }).toString()
  return html`<section class="panel">
    <h2>By GitHub</h2>
    <p><a class="button" href="/api/cli/auth/github?${query}">Sign in with GitHub</a></p>
  </section>`
}

function mailSection(callback: Callback): Html {
  return html`<section class="panel">
    <h2>By mail</h2>
    <form method="post" action="/api/cli/auth/mail">
      ${fields(callback)}
      <label for="email">Your mail address</label>
      <div class="field">
        <input id="email" name="email" type="email" autocomplete="email" maxlength="254" required />
        <button>Send me a link</button>
      </div>
    </form>
    <p class="note">There is no password: a link in the mail signs you in, once, within 15 minutes.</p>
  </section>`
}

function linkIsSent(email: string): Html {
  return html`<p>
    If <strong>${email}</strong> can sign in here, a message with a link is on its way. Copy the address of the link,
    and paste it below. If you have opened the link already, paste the token that its page shows.
  </p>`
}

function tokenSection({ sendsMail }: CliSignInFacts, callback: Callback, isForLink: boolean): Html {
  return html`<section class="panel">
    <h2>${isForLink ? 'The link of the mail' : 'By a token'}</h2>
    <form method="post" action="/api/cli/auth">
      ${fields(callback)}
      <label for="token">${isForLink ? 'The link, or the token of its page' : 'Your token'}</label>
      <div class="field">
        <input id="token" name="token" type="password" autocomplete="off" maxlength="${maxToken}" required />
        <button>Continue</button>
      </div>
    </form>
    ${!isForLink && tokenHelp(sendsMail)}
  </section>`
}

function tokenHelp(sendsMail: boolean): Html {
  return sendsMail
    ? html`<p class="note">The token of a sign-in, an API key, or a link that signs you in.</p>`
    : html`<p class="note">
        This server sends no mail. Its owner has the token in the file <code>owner.token</code> of the server's data
        directory (<code>CARREL_DATA</code>, by default <code>/var/lib/carrel</code>). Everybody else asks the owner for
        an API key or a sign-in link.
      </p>`
}

interface Question {
  /** Who is signed in. */
  name: string
  workspaces: readonly { id: string; name: string }[]
  /** The workspace that is selected at first. */
  selectedId: string
  /** What the key is called unless the person says otherwise. */
  keyName: string
  approvalId: string
  callback: Callback
}

/** Returns the page that asks whether a program gets a key. */
export function approvalPage(question: Question): string {
  const { name, workspaces, selectedId, keyName, approvalId, callback } = question
  const [only] = workspaces
  return page({
    title: 'Give the program a key?',
    body: html`<p class="lead">
        You are signed in as <strong>${name}</strong>. The program at <strong>${callback.url.host}</strong> gets an API
        key${workspaces.length === 1 && html` of the workspace <strong>${only!.name}</strong>`}.
      </p>
      <p>With it, the program does what you may do there: use computers, spend credit and manage the account.</p>
      <form method="post" action="/api/cli/auth/answer">
        <input type="hidden" name="approval" value="${approvalId}" />
        ${workspaces.length > 1 ? choiceOf(workspaces, selectedId) : hiddenChoice(only!.id)}
        <label for="name">What the key is called</label>
        <div class="field"><input id="name" name="name" value="${keyName}" maxlength="100" autocomplete="off" /></div>
        <div class="actions">
          <button name="answer" value="agree">Give it a key</button>
          <button class="quiet" name="answer" value="refuse" formnovalidate>Cancel</button>
        </div>
      </form>
      <p class="note">
        The key lasts until you revoke it, such as by <code>carrel keys revoke</code>. It is sent to this computer
        alone, and shown nowhere.
      </p>`,
  })
}

function hiddenChoice(id: string): Html {
  return html`<input type="hidden" name="workspace" value="${id}" />`
}

function choiceOf(workspaces: Question['workspaces'], selectedId: string): Html {
  return html`<fieldset class="choices">
    <legend>Of which workspace?</legend>
    ${workspaces.map(
      ({ id, name }) =>
        html`<label
          ><input type="radio" name="workspace" value="${id}" ${id === selectedId && html`checked`} required />
          <span>${name}</span></label
        >`,
    )}
  </fieldset>`
}

/** Returns the page that says why a program gets no key. */
export function cliRefusedPage(reason: string): string {
  return page({
    title: 'This sign-in cannot go on',
    body: html`<p class="lead">${reason}.</p>
      <p>Close this page, and start the sign-in again from the command line.</p>`,
  })
}

/** Returns the headers of a page whose form leads to the callback. */
export function approvalHeaders(callback: Callback): Record<string, string> {
  return {
    ...formPageHeaders,
    'cache-control': 'no-store',
    'content-security-policy': formPageHeaders['content-security-policy'].replace(
      "form-action 'self'",
      `form-action 'self' ${sourceOf(callback)}`,
    ),
  }
}

export const maxToken = 3000
