import { html, type Html } from './html.ts'

interface Layout {
  /** The title of the window. */
  title: string
  /** The surface that the page is about; undefined on the index. */
  surface?: string
  version: string
  contents: Html
  body: Html
  footer: Html
}

/** Returns a page of the documentation. It is complete without its script, which only adds the console. */
export function layout({ title, surface, version, contents, body, footer }: Layout): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="stylesheet" href="/docs/page.css" />
        <link rel="icon" href="/docs/icon.svg" type="image/svg+xml" />
        <script type="module" src="/docs/console.js"></script>
      </head>
      <body>
        <a class="skip" href="#start">Skip to content</a>
        <header>
          <a class="brand" href="/docs"><img src="/docs/icon.svg" alt="" width="24" height="24" /> Carrel</a>
          ${surface !== undefined && html`<span class="place">${surface}</span>`}
          <span class="version">${version}</span>
          <form class="token" hidden>
            <label
              ><span>Token</span>
              <input type="password" name="token" placeholder="pp_sess_…" autocomplete="off" spellcheck="false"
            /></label>
          </form>
          <details class="menu">
            <summary>Contents</summary>
            ${contents}
          </details>
        </header>
        <div class="columns">
          <aside>${contents}</aside>
          <main>
            ${body}
            <footer>${footer}</footer>
          </main>
        </div>
      </body>
    </html> `.text
}
