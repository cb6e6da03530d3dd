import type { Surface } from '../surface.ts'
import { operationsByTopic } from './document.ts'
import { errorsOf } from './errors.ts'
import { anchorOf, guideHtml } from './guide.ts'
import { html, type Html } from './html.ts'
import { layout } from './layout.ts'
import { operationSection } from './operation-section.ts'
import type { DocumentParts } from './parts.ts'

type Topic = ReturnType<typeof operationsByTopic>[number]

/** Returns the page of one surface: its guide, its routes with a console, its errors and its limits. */
export function surfacePage(surface: Surface, { surfaces, reference, origin, settings }: DocumentParts): string {
  const { name, title, description } = surface
  const document = reference(surface)
  const topics = operationsByTopic(document)
  const sections = surface.guide?.({ origin, settings }) ?? []
  const limits = surface.limits?.(settings) ?? []
  const contents = html`<nav aria-label="Contents">
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
    title: `${title} · Carrel`,
    surface: title,
    version: document.info.version,
    contents,
    body: html`<section class="guide" id="start">
        <h1>${title}</h1>
        <p class="lead">${description}</p>
        <p>
          Enter your token in the field at the top to send requests from this page. The token stays in this tab, and is
          discarded when you close the tab.
        </p>
      </section>
      ${guideHtml(sections)} ${topics.map(topicSection(origin))} ${errorSection(surface)}
      ${limits.length > 0 && limitSection(limits)}`,
    footer: html`<a href="/docs">all APIs</a> <a href="/openapi/${name}.json">openapi.json</a>
      <a href="/skills/${name}.md">for agents</a>`,
  })
}

function topicContents({ name, operations }: Topic): Html {
  return html`<h2>${name}</h2>
    <ul>
      ${operations.map(
        ({ id, method, path }) =>
          html`<li>
            <a href="#${id}"><span class="method ${method.toLowerCase()}">${method}</span> ${path}</a>
          </li>`,
      )}
    </ul>`
}

function topicSection(origin: string) {
  return ({ name, description, operations }: Topic): Html =>
    html`<section class="topic">
      <h2>${name}</h2>
      <p class="lead">${description}</p>
      ${operations.map((operation) => operationSection(origin, operation))}
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
            ({ code, status, instruction }) =>
              html`<tr>
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
