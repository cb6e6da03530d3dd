import { Html, html } from './docs/html.ts'

/** A page loads nothing from elsewhere, is not cached, sends no referrer, and submits its forms to this server only. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
}

interface Page {
  title: string
  body: Html
  /** The page reloads after this many seconds. */
  reloadAfterS?: number | undefined
}

/** Returns a page for a user who follows a link, such as in a mail. */
export function userPage({ title, body, reloadAfterS }: Page): string {
  return html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="robots" content="noindex" />
      ${reloadAfterS !== undefined && html`<meta http-equiv="refresh" content="${reloadAfterS}" /> `}
      <title>${title} – Carrel</title>
      <style>
        ${style}
      </style>
      <main>
        <h1>${title}</h1>
        ${body}
      </main>
    </html> `.text
}

const style = new Html(`
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 44rem; margin: 0 auto; padding: 4rem 1.5rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 1rem; }
h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
p { margin: 0 0 1rem; }
pre { font: 13px/1.6 ui-monospace, monospace; background: color-mix(in srgb, currentColor 8%, transparent); border-radius: 8px;
  padding: .75rem 1rem; margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }
table { width: 100%; border-collapse: collapse; margin: 0 0 1rem; font-variant-numeric: tabular-nums; }
th, td { padding: .6rem .5rem .6rem 0; text-align: left; border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
th { font-size: .875rem; font-weight: 600; opacity: .72; }
th:last-child, td:last-child { padding-right: 0; text-align: right; }
.token { font-size: 16px; border: 1px solid color-mix(in srgb, currentColor 30%, transparent); }
.amount { font-size: 3rem; line-height: 1.1; font-weight: 650; letter-spacing: -.02em; font-variant-numeric: tabular-nums; margin: 0 0 .25rem; }
.note { opacity: .72; }
.state { display: inline-block; font-size: .875rem; font-weight: 600; padding: .2rem .7rem; border-radius: 999px; margin: 0 0 1.25rem;
  background: color-mix(in srgb, var(--tone, currentColor) 16%, transparent); color: var(--tone, currentColor); }
.good { --tone: light-dark(#0b6b3a, #6fd99c); }
.bad { --tone: light-dark(#a32222, #ff9c94); }
.wait { --tone: light-dark(#7a5300, #f2c463); }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: .75rem 1.25rem; margin: 2rem 0 0; }
button { font: inherit; font-weight: 600; padding: .7rem 1.5rem; border: 0; border-radius: 8px; cursor: pointer;
  background: light-dark(#1a1a1a, #f2f2f2); color: light-dark(#fff, #111); }
button:hover { opacity: .88; }
button:focus-visible, a:focus-visible { outline: 3px solid light-dark(#2f6fed, #8ab4ff); outline-offset: 2px; }
a { color: inherit; text-underline-offset: .2em; }
@media (max-width: 30rem) { main { padding: 2.5rem 1.25rem; } .actions form, .actions button { width: 100%; } }
`)
