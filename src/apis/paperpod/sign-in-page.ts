import { html, type Html } from '../../http/docs/html.ts'
import { page } from '../../http/pages/page.ts'

/** Returns a page that asks to confirm the sign-in: programs that scan mail open every link, but press no button. */
export function signInPage(email: string, code: string): string {
  return page({
    title: 'Sign in',
    body: html`<p>Sign in as <strong>${email}</strong>. The next page shows your token, only once.</p>
      <div class="actions">
        <form method="post" action="/login/callback">
          <input type="hidden" name="token" value="${code}" /><button>Sign in</button>
        </form>
      </div>`,
  })
}

/** Returns the page that shows a new token, once, and how to use it. */
export function tokenPage(token: string, baseUrl: string, expiresAtMs: number): string {
  return page({ title: 'You are signed in', body: tokenHelp(token, baseUrl, expiresAtMs) })
}

/** Returns the token, and how to use it, as part of a page. */
export function tokenHelp(token: string, baseUrl: string, expiresAtMs: number): Html {
  const until = new Date(expiresAtMs).toISOString().slice(0, 10)
  return html`<p>
      This is your token. It is shown only now, and is valid until <time>${until}</time>. Keep it like a password.
    </p>
    <pre class="token">${token}</pre>
    <h2>On the command line</h2>
    <pre>
carrel login --url ${baseUrl} \\
  ${token}
carrel exec 'echo hello world'</pre>
    <h2>In scripts and over HTTP</h2>
    <pre>
export CARREL_URL=${baseUrl}
export CARREL_TOKEN=${token}
curl -H "Authorization: Bearer $CARREL_TOKEN" \\
  -H 'content-type: application/json' \\
  -d '{"code":"print(6*7)","language":"python"}' \\
  $CARREL_URL/execute</pre>`
}

/** Returns a page that says why a link does not work, and how to get another. */
export function refusedPage(reason: string, baseUrl: string): string {
  return page({
    title: 'This link does not work',
    body: html`<p>${reason}.</p>
      <p>A link works once, within 15 minutes. Ask for another one:</p>
      <pre>curl -H 'content-type: application/json' -d '{"email":"you@example.com"}' ${baseUrl}/login</pre>`,
  })
}
