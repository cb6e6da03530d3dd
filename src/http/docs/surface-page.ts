import type { Surface } from '../surface.ts'
import { operationsByTopic } from './document.ts'
import { errorsOf } from './errors.ts'
import { anchorOf, guideHtml } from './guide.ts'
import { html, type Html } from './html.ts'
import { layout } from './layout.ts'
import { methodBadge, operationSection, type PageFacts } from './operation-section.ts'
import type { DocumentParts } from './parts.ts'

type Topic = ReturnType<typeof operationsByTopic>[number]

/** Returns the page of one surface: its guide, its routes with a console, its errors and its limits. */
export function surfacePage(surface: Surface, parts: DocumentParts): string {
  const { surfaces, reference, origin, settings, searchUrl } = parts
  const { name, title, description } = surface
  const document = reference(surface)
  const topics = operationsByTopic(document)
  const sections = surface.guide?.({ origin, settings }) ?? []
  const limits = surface.limits?.(settings) ?? []
  const facts = { origin, settings, errorCodes: new Set(errorsOf(surface).map(({ code }) => code)) }
  const contents = html`<nav class="contents" aria-label="Contents">
    <ul>
      <li><a href="#start">Start</a></li>
      ${sections.map(({ title }) => html`<li><a href="#${anchorOf(title)}">${title}</a></li>`)}
    </ul>
    ${topics.map(topicContents)}
    <h2>Reference</h2>
    <ul>
      <li><a href="#errors">Errors</a></li>
      ${limits.length > 0 && html`<li><a href="#limits">Limits</a></li>`}
      <li><a href="/openapi/${name}.json">openapi.json</a></li>
      <li><a href="/skills/${name}.md">for agents</a></li>
    </ul>
    <h2>Other APIs</h2>
    <ul>
      ${surfaces.map((other) => other !== surface && html`<li><a href="/docs/${other.name}">${other.title}</a></li>`)}
    </ul>
  </nav>`
  return layout({
    title: `${title} API`,
    surface: title,
    version: document.info.version,
    searchUrl,
    contents,
    body: html`<section class="guide" id="start">
        <h1>${title}</h1>
        <p class="lead">${description}</p>
        <p>
          The samples read your token from the variable <code>CARREL_TOKEN</code>. Python needs
          <code>pip install requests</code>, and <code>websockets</code> for a WebSocket; TypeScript needs nothing, and
          Node 22 for a WebSocket.
        </p>
        <p>
          To send requests from this page, enter your token in the field at the top. The token stays in this tab, and is
          discarded when you close the tab.
        </p>
      </section>
      ${guideHtml(sections)} ${topics.map(topicSection(facts))} ${errorSection(surface)}
      ${limits.length > 0 && limitSection(limits)}`,
    footer: html`<a href="/docs">all APIs</a> <a href="/openapi/${name}.json">openapi.json</a>
      <a href="/skills/${name}.md">for agents</a>`,
  })
}

function topicContents({ name, operations }: Topic): Html {
  return html`<h2>${name}</h2>
    <ul>
      ${operations.map(
        (operation) =>
          html`<li>
            <a href="#${operation.id}">${methodBadge(operation)} <span>${breakable(operation.path)}</span></a>
          </li>`,
      )}
    </ul>`
}

/** Returns a path that is broken before a slash where it is too long for its line. */
function breakable(path: string): Html[] {
  return path.split(/(?=\/)/).map((part) => html`<wbr />${part}`)
}

function topicSection(facts: PageFacts) {
  return ({ name, description, operations }: Topic): Html =>
    html`<section class="topic" id="${anchorOf(name)}">
      <h2>${name}</h2>
      <p class="lead">${description}</p>
      ${operations.map((operation) => operationSection(facts, operation))}
    </section>`
}

function errorSection(surface: Surface): Html {
  return html`<section class="guide" id="errors">
    <h2>Errors</h2>
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
          ${errorsOf(surface).map(
            ({ code, status, instruction }, index, all) =>
              html`<tr ${index === all.findIndex((other) => other.code === code) && html`id="error-${code}"`}>
                <td><code>${code}</code></td>
                <td>${status}</td>
                <td>${instruction}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`
}

function limitSection(limits: readonly (readonly [what: string, bound: string])[]): Html {
  return html`<section class="guide" id="limits">
    <h2>Limits</h2>
    <div class="wide">
      <table>
        <tbody>
          ${limits.map(
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
