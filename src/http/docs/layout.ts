import { designUrl, iconUrl } from '../pages/design.ts'
import { siteHeader } from '../pages/header.ts'
import { windowTitle } from '../pages/page.ts'
import { html, type Html } from './html.ts'

interface Layout {
  /** The title of the window, before the name of the server. */
  title: string
  /** The surface that the page is about; undefined on the index. */
  surface?: string
  version: string
  /** The address of the search index. */
  searchUrl: string
  contents: Html
  body: Html
  footer: Html
}

/**
 * Returns a page of the documentation. It is complete without its script, which adds the console and the search, and
 * remembers the language of the samples.
 */
export function layout({ title, surface, version, searchUrl, contents, body, footer }: Layout): string {
  const middle = html`${surface !== undefined && html`<span class="place">${surface}</span>`}
    <span class="version">${version}</span> ${searchField(searchUrl)}`
  const end = html`<form class="token" hidden>
      <label
        ><span>Token</span>
        <input type="password" name="token" placeholder="pp_sess_…" autocomplete="off" spellcheck="false"
      /></label>
    </form>
    <details class="menu">
      <summary>Contents</summary>
      ${contents}
    </details>`
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${windowTitle(title)}</title>
        <link rel="stylesheet" href="${designUrl}" />
        <link rel="stylesheet" href="/docs/page.css" />
        <link rel="icon" href="${iconUrl}" type="image/svg+xml" />
        <script type="module" src="/docs/samples.js"></script>
        <script type="module" src="/docs/console.js"></script>
        <script type="module" src="/docs/search.js"></script>
      </head>
      <body>
        <a class="skip" href="#start">Skip to content</a>
        ${siteHeader({ current: 'docs', middle, end })}
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

/** The field needs the script, and is hidden without it: the search of the browser finds everything on a page. */
function searchField(searchUrl: string): Html {
  return html`<search class="search" data-index="${searchUrl}" hidden>
    <input
      type="search"
      role="combobox"
      placeholder="Search"
      aria-label="Search the reference"
      aria-expanded="false"
      aria-controls="results"
      aria-autocomplete="list"
      autocomplete="off"
      spellcheck="false"
    />
    <kbd>/</kbd>
    <ul class="results" id="results" role="listbox" aria-label="Results" hidden></ul>
  </search>`
}
