import { html, type Html } from '../../http/docs/html.ts'
import { codeBlock } from '../../http/pages/code-block.ts'
import { siteHeader } from '../../http/pages/header.ts'
import { page } from '../../http/pages/page.ts'

const header = siteHeader({ current: 'sign-in' })

/** Returns a page that asks to confirm the sign-in: programs that scan mail open every link, but press no button. */
export function signInPage(email: string, code: string): string {
  return page({
    title: 'Sign in',
    header,
    body: html`<p class="lead">Sign in as <strong>${email}</strong>. The next page shows your token, only once.</p>
      <div class="actions">
        <form method="post" action="/login/callback">
          <input type="hidden" name="token" value="${code}" /><button>Sign in</button>
        </form>
      </div>`,
  })
}

/** Returns the page that shows a new token, once, and how to use it. */
export function tokenPage(token: string, baseUrl: string, expiresAtMs: number): string {
  return page({
    title: 'You are signed in',
    header,
    body: html`${tokenOnce(token, expiresAtMs)} ${nextSteps(token, baseUrl)}
      <p>The <a href="/docs">documentation</a> has every route, and a console that takes this token.</p>`,
  })
}

function tokenOnce(token: string, expiresAtMs: number): Html {
  const until = new Date(expiresAtMs).toISOString().slice(0, 10)
  return html`<p class="lead">This is your token. The page shows it only now: copy it, and keep it like a password.</p>
    ${codeBlock(token, { caption: `Valid until ${until}`, wrapped: true })}`
}

function nextSteps(token: string, baseUrl: string): Html {
  return html`<h2>On the command line</h2>
    ${codeBlock(`carrel login --url ${baseUrl} \\\n  ${token}\ncarrel exec 'echo hello world'`, { caption: 'Shell' })}
    <h2>Over HTTP</h2>
    ${codeBlock(
      `export CARREL_URL=${baseUrl}
export CARREL_TOKEN=${token}
curl -H "Authorization: Bearer $CARREL_TOKEN" \\
  -H 'content-type: application/json' \\
  -d '{"code":"print(6*7)","language":"python"}' \\
  $CARREL_URL/execute`,
      { caption: 'Shell' },
    )}
    <h2>In TypeScript</h2>
    ${codeBlock(
      `import { Carrel } from 'carrel'

// Reads CARREL_URL and CARREL_TOKEN.
const carrel = new Carrel()
const { result } = await carrel.execute('print(6 * 7)', { language: 'python' })
console.log(result.stdout)`,
      { caption: 'TypeScript' },
    )}`
}

/** Returns a page that says why a link does not work, and how to get another. */
export function refusedPage(reason: string): string {
  return page({
    title: 'This link does not work',
    header,
    body: html`<p class="lead">${reason}.</p>
      <p>A link works once, within 15 minutes. If you have signed in by it, you have your token already.</p>
      <div class="actions"><a class="button" href="/sign-in">Get another link</a></div>`,
  })
}
