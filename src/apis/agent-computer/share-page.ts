import { html, type Html } from '../../http/docs/html.ts'
import { page } from '../../http/pages/page.ts'

/** What the page of a link says. */
export interface SharedComputer {
  name: string
  workspaceName: string
  state: string
  opens: { browser: boolean; vnc: boolean }
  /** null for a link that works until it is withdrawn. */
  expiresAtMs: number | null
}

/** Returns the page of a link: whose computer it leads to, what it opens, and the button that opens it. */
export function sharePage({ name, workspaceName, state, opens, expiresAtMs }: SharedComputer): string {
  return page({
    title: name,
    body: html`<p class="lead">
        <strong>${workspaceName}</strong> shares this computer with you. ${opens.browser ? whole : desktopAlone}
      </p>
      ${state === 'running' ? buttons(opens) : notRunning(state)}
      <p class="note">
        ${expiresAtMs === null ? 'The link works until it is withdrawn.' : end(expiresAtMs)}
        ${opens.browser && 'What you do there is done on behalf of its owner.'}
      </p>`,
  })
}

/** Returns the page of a link that opens nothing. It does not say why. */
export function noSharePage(): string {
  return page({
    title: 'This link opens nothing',
    body: html`<p class="lead">It has expired, was withdrawn, or has a typing error.</p>
      <p>Ask whoever sent it for another one.</p>
      <div class="actions"><a class="button quiet" href="/">Go to the home page</a></div>`,
  })
}

/** Returns the page after an attempt that failed. */
export function refusedSharePage(why: keyof typeof refusals): string {
  return page({
    title: 'The computer does not open now',
    body: html`<p class="lead">${refusals[why]}</p>
      <div class="actions"><a class="button" href="">Try again</a></div>`,
  })
}

/** Why a link that works does not open the computer, by the code of the error. */
export const refusals = {
  conflict: 'The computer does not run. Ask its owner to start it.',
  forbidden: 'The link does not open this part of the computer.',
  limit_reached: 'Too many visitors have the computer open. Wait until one of them has left.',
}

const whole = 'The link opens all of it: terminal, files, ports and desktop.'
const desktopAlone = 'The link shows its desktop: you can watch, and change nothing.'

function buttons({ browser, vnc }: { browser: boolean; vnc: boolean }): Html {
  return html`<form class="actions" method="post">
    ${browser && html`<button name="kind" value="browser">Open the computer</button>`}
    ${vnc && html`<button name="kind" value="vnc" ${browser && html`class="quiet"`}>Open the desktop</button>`}
  </form>`
}

/** A stranger does not start a computer. */
function notRunning(state: string): Html {
  const text = ['starting', 'restarting', 'resizing'].includes(state)
    ? 'The computer is not ready yet. Try again in a moment.'
    : 'The computer does not run. Ask its owner to start it, and try again.'
  return html`<section class="panel"><p>${text}</p></section>
    <div class="actions"><a class="button" href="">Try again</a></div>`
}

function end(expiresAtMs: number): Html {
  const iso = new Date(expiresAtMs).toISOString()
  const text = time.format(expiresAtMs)
  return html`The link works until <time datetime="${iso}">${text} UTC</time>, unless it is withdrawn before.`
}

const time = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })
