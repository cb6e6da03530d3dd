import type { Settings } from '../../config/settings.ts'
import { errorTable } from '../../errors.ts'
import { operationsByTopic, type OpenApiDocument } from './document.ts'
import { duration, limitFacts } from './facts.ts'
import { html, type Html } from './html.ts'
import { operationSection } from './operation-section.ts'

type Topic = ReturnType<typeof operationsByTopic>[number]

/** The documentation as one page of HTML: whole without its script, which adds the console. */
export function docsPage(document: OpenApiDocument, origin: string, settings: Settings): string {
  const topics = operationsByTopic(document)
  const { title, version } = document.info
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}: documentation</title>
        <link rel="stylesheet" href="/docs/page.css" />
        <link rel="icon" href="/docs/icon.svg" type="image/svg+xml" />
        <script type="module" src="/docs/console.js"></script>
      </head>
      <body>
        <a class="skip" href="#start">To the content</a>
        <header>
          <a class="brand" href="#start"><img src="/docs/icon.svg" alt="" width="24" height="24" /> ${title}</a>
          <span class="version">${version}</span>
          <form class="token" hidden>
            <label
              ><span>Token</span>
              <input type="password" name="token" placeholder="pp_sess_…" autocomplete="off" spellcheck="false"
            /></label>
          </form>
          <details class="menu">
            <summary>Contents</summary>
            ${navigation(topics)}
          </details>
        </header>
        <div class="columns">
          <aside>${navigation(topics)}</aside>
          <main>
            ${guide(origin, settings)} ${topics.map(topicSection(origin))} ${errorSection()} ${limitSection(settings)}
            <footer>
              <a href="/openapi.json">openapi.json</a> <a href="/SKILL.md">SKILL.md</a> <a href="/">discovery</a>
            </footer>
          </main>
        </div>
      </body>
    </html> `.text
}

function navigation(topics: Topic[]): Html {
  return html`<nav aria-label="Contents">
    <ul>
      <li><a href="#start">Start</a></li>
      <li><a href="#sandboxes">Sandboxes</a></li>
    </ul>
    ${topics.map(
      ({ name, operations }) =>
        html`<h2>${name}</h2>
          <ul>
            ${operations.map(
              ({ id, method, path }) =>
                html`<li>
                  <a href="#${id}"><span class="method ${method.toLowerCase()}">${method}</span> ${path}</a>
                </li>`,
            )}
          </ul>`,
    )}
    <h2>Reference</h2>
    <ul>
      <li><a href="#errors">Errors</a></li>
      <li><a href="#limits">Limits</a></li>
      <li><a href="/openapi.json">openapi.json</a></li>
      <li><a href="/SKILL.md">SKILL.md</a></li>
    </ul>
  </nav>`
}

function guide(origin: string, settings: Settings): Html {
  return html`<section class="guide" id="start">
      <h1>A computer of its own for every agent</h1>
      <p class="lead">
        Isolated Linux, ready in tens of milliseconds, over HTTP. Run code, keep files, start servers, show them to
        others.
      </p>
      <figure class="code">
        <figcaption>Two commands</figcaption>
        <pre tabindex="0"><code>export CARREL_TOKEN=pp_sess_...
curl -H "Authorization: Bearer $CARREL_TOKEN" -H 'content-type: application/json' \\
  -d '{"code":"print(6*7)","language":"python"}' ${origin}/execute</code></pre>
      </figure>
      <p>
        Every request carries a token, except those that say that they need none. The operator of this server finds the
        first one in <code>owner.token</code> in its data directory. Type yours into the field at the top to send
        requests from this page; it stays in this tab and is forgotten with it.
      </p>
      <p>
        On the command line, <code>carrel help</code> lists every command. Agents read <a href="/SKILL.md">SKILL.md</a>;
        programs read <a href="/openapi.json">openapi.json</a> or the discovery document at <a href="/">${origin}/</a>.
      </p>
    </section>
    <section class="guide" id="sandboxes">
      <h2>Sandboxes</h2>
      <p>
        A sandbox is a Linux computer that your account gets by name: <code>sessionId</code> in a request picks it, none
        is the default one. The first request makes it; what has the same name shares its files and processes. You are
        <code>node</code>, with sudo, in <code>/workspace</code>, and a relative path is under it.
      </p>
      <p>
        When nothing ran in it and nobody asked for ${duration(settings.idleTimeoutMs)} it is stopped, and its files go
        with it. What shall stay goes to <a href="#postMemoryWrite">memory</a>.
      </p>
      <p>
        A request that makes something can carry an <code>Idempotency-Key</code>: repeated with the same key and body it
        gives the first answer again, and nothing is done twice.
      </p>
    </section>`
}

function topicSection(origin: string) {
  return ({ name, description, operations }: Topic): Html =>
    html`<section class="topic">
      <h2>${name}</h2>
      <p class="lead">${description}</p>
      ${operations.map((operation) => operationSection(origin, operation))}
    </section>`
}

function errorSection(): Html {
  return html`<section class="guide" id="errors">
    <h2>Errors</h2>
    <p>
      An error has a sentence in <code>error</code>, a <code>code</code> for programs, what to do next in
      <code>agentInstruction</code>, and <code>retryable</code>: whether the same request can succeed later.
      <code>requestId</code> names the request in the log of the server.
    </p>
    <div class="wide">
      <table>
        <thead>
          <tr>
            <th>Code</th>
            <th>Status</th>
            <th>What to do</th>
          </tr>
        </thead>
        <tbody>
          ${Object.entries(errorTable).map(
            ([code, { status, instruction }]) =>
              html`<tr>
                <td><code>${code.toUpperCase()}</code></td>
                <td>${status}</td>
                <td>${instruction}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`
}

function limitSection(settings: Settings): Html {
  return html`<section class="guide" id="limits">
    <h2>Limits</h2>
    <div class="wide">
      <table>
        <tbody>
          ${limitFacts(settings).map(
            ([what, bound]) =>
              html`<tr>
                <th scope="row">${what}</th>
                <td>${bound}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`
}
