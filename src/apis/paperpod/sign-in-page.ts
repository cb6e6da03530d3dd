interface Page {
  title: string
  body: string
}

/** Nothing of the page is loaded from anywhere, kept by anyone, or told to the next one. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
}

/** What a person sees after the click: the token, this once, and how to use it. */
export function tokenPage(token: string, baseUrl: string, expiresAtMs: number): string {
  const until = new Date(expiresAtMs).toISOString().slice(0, 10)
  return page({
    title: 'You are signed in',
    body: `<p>This is your token. It is shown only now, and is valid until <time>${until}</time>. Keep it like a password.</p>
<pre class="token">${escape(token)}</pre>
<h2>On the command line</h2>
<pre>carrel login --url ${escape(baseUrl)} ${escape(token)}
carrel exec 'echo hello world'</pre>
<h2>Over HTTP</h2>
<pre>curl -H 'Authorization: Bearer ${escape(token)}' \\
  -H 'content-type: application/json' \\
  -d '{"code":"print(6*7)","language":"python"}' ${escape(baseUrl)}/execute</pre>
<h2>In scripts</h2>
<pre>export CARREL_URL=${escape(baseUrl)} CARREL_TOKEN=${escape(token)}</pre>`,
  })
}

/** Why the click did not work, and what to do. */
export function refusedPage(reason: string, baseUrl: string): string {
  return page({
    title: 'This link does not work',
    body: `<p>${escape(reason)}.</p>
<p>A link works once, within 15 minutes. Ask for another one:</p>
<pre>curl -H 'content-type: application/json' -d '{"email":"you@example.com"}' ${escape(baseUrl)}/login</pre>`,
  })
}

function page({ title, body }: Page): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} – Carrel</title>
<style>${style}</style>
<main>
<h1>${title}</h1>
${body}
</main>
</html>
`
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 44rem; margin: 0 auto; padding: 4rem 1.5rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 1rem; }
h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
p { margin: 0 0 1rem; }
pre { font: 14px/1.5 ui-monospace, monospace; background: color-mix(in srgb, currentColor 8%, transparent); border-radius: 8px;
  padding: .75rem 1rem; margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }
.token { font-size: 16px; border: 1px solid color-mix(in srgb, currentColor 30%, transparent); }
`

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
