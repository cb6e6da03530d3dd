import type { Engine } from '../../engine/engine.ts'
import { withCode } from '../docs/guide.ts'
import { html, type Html } from '../docs/html.ts'
import { installClient } from '../install-client.ts'
import { codeBlock } from './code-block.ts'

export interface SignInFacts {
  /** The origin at which the reader reaches the server. */
  origin: string
  /** False when the server has no SMTP server to send mail by. */
  sendsMail: boolean
  /** Whether anybody can sign up. */
  signUp: boolean
}

export function signInFacts({ mail, settings }: Pick<Engine, 'mail' | 'settings'>, origin: string): SignInFacts {
  return { origin, sendsMail: mail.isSent, signUp: settings.signUp }
}

interface Attempt {
  /** What was entered before. */
  email?: string
  /** Why that was not accepted. */
  problem?: string
}

/** Returns the form that asks for a sign-in link; without mail, how the owner of the server gets in. */
export function signInSection(facts: SignInFacts, attempt: Attempt = {}): Html {
  return facts.sendsMail ? mailForm(facts, attempt) : ownerHelp(facts)
}

function mailForm({ signUp }: SignInFacts, { email, problem }: Attempt): Html {
  return html`<section class="panel" id="sign-in">
    <h2>Sign in by mail</h2>
    ${problem !== undefined && html`<p class="problem" role="alert">${problem}</p>`}
    <form method="post" action="/sign-in">
      <label for="email">Your mail address</label>
      <div class="field">
        <input
          id="email"
          name="email"
          type="email"
          value="${email}"
          autocomplete="email"
          maxlength="254"
          required
          ${problem !== undefined && html`aria-invalid="true"`}
        />
        <button>Send me a link</button>
      </div>
    </form>
    <p class="note">
      There is no password: the link in the mail signs you in, once, within 15
      minutes.${
        signUp
          ? ' A new address gets an account of its own.'
          : ' Only people who have an account or an invitation receive one.'
      }
    </p>
  </section>`
}

function ownerHelp({ origin }: SignInFacts): Html {
  return html`<section class="panel" id="sign-in">
    <h2>Sign in</h2>
    <p>
      This server sends no mail yet. Its owner signs in with the token in the file <code>owner.token</code> of the
      server's data directory, whose path the server prints when it starts (<code>CARREL_DATA</code>, by default
      <code>/var/lib/carrel</code>):
    </p>
    ${codeBlock(`carrel login --url ${origin} "$(sudo cat "\${CARREL_DATA:-/var/lib/carrel}/owner.token")"`, {
      caption: 'Shell',
      wrapped: true,
    })}
    <p class="note"><code>carrel</code> is the command line. ${withCode(installClient)}</p>
    <p class="note">
      Everybody else asks the owner for an API key or a sign-in link. To send links by mail, the owner sets
      <code>CARREL_SMTP_URL</code> and starts the server again.
    </p>
  </section>`
}
