import type { CarrelError } from '../../errors.ts'
import { html, type Html } from '../docs/html.ts'
import { codeBlock } from '../pages/code-block.ts'
import { lookAgainScript, lookAgainSource, mark, scriptSource, styleSource } from '../pages/design.ts'
import { page, pageHeaders } from '../pages/page.ts'
import { previewWords } from './preview-words.ts'

/** As of every page, except that a preview may be shown in a frame, and that this page asks for itself again. */
export const previewPageHeaders = {
  ...pageHeaders,
  'content-security-policy': [
    "default-src 'none'",
    `style-src ${styleSource}`,
    `script-src ${scriptSource} ${lookAgainSource}`,
    "connect-src 'self'",
    'img-src data:',
    "form-action 'none'",
    "base-uri 'none'",
  ].join('; '),
}

interface Visit {
  error: CarrelError
  /** Undefined for a name that is no preview's. */
  port: number | undefined
  /** The origin of the server; undefined when only its operator knows it. */
  home: string | undefined
  /** Whether the browser can repeat the request. */
  isRepeatable: boolean
  /** Whether the computer is known to keep its files when it stops. */
  keepsFiles: boolean
}

/** Returns the page for the visitor of a preview that cannot be shown: what the visitor and what the owner can do. */
export function previewPage({ error, port, home, isRepeatable, keepsFiles }: Visit): string {
  const { title, label, tone, visitor, owner, looksAgain } = previewWords(error, { port, keepsFiles })
  const willLook = looksAgain === true && isRepeatable
  return page({
    title,
    body: html`<p class="state ${tone}">${label}</p>
      <p class="lead">${visitor}</p>
      ${
        looksAgain &&
        html`<p class="note" role="status" ${willLook && html`data-status="${error.status}"`}>
          Load the page again in a moment.
        </p>`
      }
      ${
        owner &&
        html`<section class="panel">
          <h2>If it is yours</h2>
          <p>${owner.text}</p>
          ${codeBlock(owner.command, { caption: 'Shell' })}
          ${placeholders.filter(([name]) => owner.command.includes(name)).map(([, note]) => html`<p class="note">${note}</p>`)}
        </section>`
      }`,
    header: header(home),
    footer: html`<footer class="foot">
      Carrel relays this address to a program in a computer of one of its users.
    </footer>`,
    script: willLook ? lookAgainScript : undefined,
  })
}

/** What stands in a command for what only its owner knows, and what the page says about it. */
const placeholders: [name: string, note: Html][] = [
  [
    '<sandbox>',
    html`<code>&lt;sandbox&gt;</code> is its name, which <code>carrel sandboxes</code> lists. Leave
      <code>--session</code> out if it is your default sandbox.`,
  ],
  [
    '<handle>',
    html`<code>&lt;handle&gt;</code> is the name of the computer, which <code>carrel computers ls</code> lists.`,
  ],
  ['<address>', html`<code>&lt;address&gt;</code> is that of this page.`],
]

function header(home: string | undefined): Html {
  const brand = html`${mark} Carrel`
  return html`<header class="bar">
    ${home === undefined ? html`<span class="brand">${brand}</span>` : html`<a class="brand" href="${home}/">${brand}</a>`}
    <span class="place">Preview</span>
  </header>`
}
