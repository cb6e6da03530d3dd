import { html, type Html } from '../docs/html.ts'
import { iconUrl, inlineScript, inlineStyle, scriptSource, styleSource } from './design.ts'
import { siteFooter, siteHeader } from './header.ts'

/** A page loads nothing, runs its own script only, and submits its forms to this server only. */
const contentPolicy = [
  "default-src 'none'",
  `style-src ${styleSource}`,
  `script-src ${scriptSource}`,
  'img-src data:',
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The headers of a page. It is not cached, and sends no referrer, because its address can contain a secret. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'content-security-policy': contentPolicy,
  'x-content-type-options': 'nosniff',
}

/** The headers of a page with a form that says where it comes from: see `assertOwnForm`. */
export const formPageHeaders = { ...pageHeaders, 'cache-control': 'no-cache', 'referrer-policy': 'same-origin' }

export interface Page {
  /** The title of the window, before the name of the server. */
  title: string
  /** Default: the title. */
  heading?: string | undefined
  body: Html
  /** The page reloads after this many seconds. */
  reloadAfterS?: number | undefined
  header?: Html | undefined
  footer?: Html | undefined
  /** A style in addition to that of every page, which the policy of its headers allows. */
  style?: Html | undefined
  /** A script in addition to that of every page, which the policy of its headers allows. */
  script?: Html | undefined
}

/** Returns what the title of a window says, on every page. */
export function windowTitle(title: string): string {
  return `${title} – Carrel`
}

/** Returns a page of one column, complete by itself: it needs nothing else from the server. */
export function page(parts: Page): string {
  const {
    title,
    heading = title,
    body,
    reloadAfterS,
    header = siteHeader(),
    footer = siteFooter(),
    style,
    script,
  } = parts
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        ${reloadAfterS !== undefined && html`<meta http-equiv="refresh" content="${reloadAfterS}" />`}
        <title>${windowTitle(title)}</title>
        <link rel="icon" href="${iconUrl}" type="image/svg+xml" />
        ${inlineStyle} ${style}
      </head>
      <body>
        <a class="skip" href="#start">Skip to content</a>
        ${header}
        <main class="page" id="start">
          <h1>${heading}</h1>
          ${body}
        </main>
        ${footer} ${inlineScript} ${script}
      </body>
    </html> `.text
}
