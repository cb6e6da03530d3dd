import { html, type Html } from '../docs/html.ts'
import { mark } from './design.ts'

interface Header {
  /** The origin of the server, for pages on another origin. Default: '', which is the page's own. */
  origin?: string | undefined
  /** The link that leads to this page. */
  current?: 'docs' | 'sign-in' | undefined
  /** What stands between the name and the links, such as the title of a section. */
  middle?: Html | undefined
  /** What stands after the links. */
  end?: Html | undefined
}

/** Returns the bar at the top of every page: the name, which leads home, and links. */
export function siteHeader({ origin = '', current, middle, end }: Header = {}): Html {
  const here = (name: Header['current']) => name === current && html` aria-current="page"`
  return html`<header class="bar">
    <a class="brand" href="${origin}/">${mark} Carrel</a>
    ${middle}
    <nav class="links" aria-label="Site">
      <a href="${origin}/docs" ${here('docs')}>Docs</a>
      <a href="${origin}/sign-in" ${here('sign-in')}>Sign in</a>
    </nav>
    ${end}
  </header>`
}

/** Returns the foot of every page: the forms of the documentation, for people and for programs. */
export function siteFooter(origin = ''): Html {
  return html`<footer class="foot">
    <a href="${origin}/docs">Documentation</a>
    <a href="${origin}/SKILL.md">SKILL.md</a>
    <a href="${origin}/openapi.json">OpenAPI</a>
    <a href="${origin}/status">Status</a>
    <a href="${origin}/health">Health</a>
  </footer>`
}
