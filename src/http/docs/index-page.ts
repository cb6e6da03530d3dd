import { version } from '../../version.ts'
import { installClient } from '../install-client.ts'
import { codeFigure } from './code-figure.ts'
import { operationsByTopic } from './document.ts'
import { firstExample } from './first-example.ts'
import { anchorOf, guideHtml, withCode } from './guide.ts'
import { highlight } from './highlight.ts'
import { html, type Html } from './html.ts'
import { layout } from './layout.ts'
import type { DocumentParts } from './parts.ts'

/** Returns the page that links to the page of each surface. */
export function indexPage(parts: DocumentParts): string {
  const { surfaces, origin, settings, searchUrl } = parts
  const sections = surfaces[0]?.guide?.({ origin, settings }) ?? []
  const contents = html`<nav class="contents" aria-label="Contents">
    <ul>
      <li><a href="#start">Start</a></li>
      ${sections.map(({ title }) => html`<li><a href="#${anchorOf(title)}">${title}</a></li>`)}
    </ul>
    <h2>APIs</h2>
    <ul>
      ${surfaces.map(({ name, title }) => html`<li><a href="/docs/${name}">${title}</a></li>`)}
    </ul>
    <h2>For programs</h2>
    <ul>
      <li><a href="/openapi.json">openapi.json</a></li>
      <li><a href="/SKILL.md">SKILL.md</a></li>
    </ul>
  </nav>`
  return layout({
    title: 'Documentation',
    version,
    searchUrl,
    contents,
    body: html`${start(parts)} ${guideHtml(sections)}`,
    footer: html`<a href="/openapi.json">openapi.json</a> <a href="/SKILL.md">SKILL.md</a> <a href="/">discovery</a>`,
  })
}

function start(parts: DocumentParts): Html {
  return html`<section class="guide" id="start">
      <h1>A computer of its own for every agent</h1>
      <p class="lead">
        Isolated Linux over HTTP, ready in tens of milliseconds. Run code, store files, start servers and share them
        with others.
      </p>
      ${codeFigure('A first request', highlight(`export CARREL_TOKEN=pp_sess_...\n${firstExample(parts, 'readable')}`, 'shell'))}
      <p>On the command line, <code>carrel help</code> lists every command. ${withCode(installClient)}</p>
      <p>
        Agents read <a href="/SKILL.md">SKILL.md</a>; programs read <a href="/openapi.json">openapi.json</a>, or the
        document of a single API.
      </p>
    </section>
    <section class="guide" id="apis">
      <h2>APIs</h2>
      <p class="lead">One server provides all of these APIs, on the same accounts and the same computers.</p>
      <ul class="surfaces">
        ${parts.surfaces.map((surface) => card(parts, surface))}
      </ul>
    </section>`
}

function card({ reference }: DocumentParts, surface: DocumentParts['surfaces'][number]): Html {
  const { name, title, description } = surface
  const topics = operationsByTopic(reference(surface))
  const count = topics.reduce((sum, { operations }) => sum + operations.length, 0)
  return html`<li>
    <h3><a href="/docs/${name}">${title}</a></h3>
    <p>${description}</p>
    <p class="type">${topics.map((topic) => topic.name).join(' · ')}</p>
    <p class="links">
      <a href="/docs/${name}">${count} ${count === 1 ? 'route' : 'routes'}</a>
      <a href="/openapi/${name}.json">OpenAPI</a> <a href="/skills/${name}.md">for agents</a>
    </p>
  </li>`
}
