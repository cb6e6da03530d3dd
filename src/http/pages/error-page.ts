import { errorTable, type CarrelError, type ErrorCode } from '../../errors.ts'
import { html } from '../docs/html.ts'
import { page } from './page.ts'

/** Returns the page for a person whose request failed: what happened in plain words, and one thing to do next. */
export function errorPage(error: CarrelError, requestId: string): string {
  const { status } = errorTable[error.code]
  const { title, text, next } = words[error.code] ?? (status >= 500 ? words.unavailable : fallback)
  const isFault = status >= 500
  return page({
    title,
    body: html`<p class="lead">${text}</p>
      ${saysMore(error.code) && html`<p>${error.message}.</p>`}
      <div class="actions"><a class="button" href="${next[0]}">${next[1]}</a></div>
      ${isFault && html`<p class="note">If it happens again, tell the operator this id: <code>${requestId}</code></p>`}`,
  })
}

/** Whether the message of an error says more than its words do, to a person. */
function saysMore(code: ErrorCode): boolean {
  return code !== 'internal' && code !== 'route_not_found' && code !== 'unauthenticated'
}

interface Words {
  title: string
  text: string
  /** A link: its address, and what it says. An empty address is that of the page. */
  next: readonly [href: string, label: string]
}

const home = ['/', 'Go to the home page'] as const
const docs = ['/docs', 'Read the documentation'] as const
const again = ['', 'Try again'] as const

const fallback: Words = { title: 'That did not work', text: 'The server cannot do what this address asks.', next: home }

const words = {
  route_not_found: {
    title: 'There is nothing here',
    text: 'The address has a typing error, or what it led to has moved.',
    next: home,
  },
  not_found: {
    title: 'There is no such thing',
    text: 'It was deleted, or the address has a typing error.',
    next: home,
  },
  method_not_allowed: {
    title: 'This address is for programs',
    text: 'A browser cannot show it. The documentation says how to call it.',
    next: docs,
  },
  upgrade_required: {
    title: 'This address is for programs',
    text: 'It is a WebSocket, which a browser cannot show. The documentation says how to open it.',
    next: docs,
  },
  unauthenticated: {
    title: 'This address needs a token',
    text: 'Programs and the command line send one; a browser does not. Sign in to get yours.',
    next: ['/sign-in', 'Sign in'],
  },
  rate_limited: { title: 'That was too often', text: 'Wait a moment before you try again.', next: home },
  no_capacity: { title: 'The server is busy', text: 'It has no room at the moment. Wait a little.', next: again },
  unavailable: { title: 'The server is not ready', text: 'This passes, usually within seconds.', next: again },
  internal: {
    title: 'Something broke here',
    text: 'The fault is in the server, not in what you did.',
    next: again,
  },
} as const satisfies Partial<Record<ErrorCode, Words>> as Partial<Record<ErrorCode, Words>> & { unavailable: Words }
