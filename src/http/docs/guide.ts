import type { GuideSection } from '../surface.ts'
import { html, type Html } from './html.ts'

/** Returns the sections of a guide as HTML, each with an anchor. */
export function guideHtml(sections: readonly GuideSection[]): Html[] {
  return sections.map(
    ({ title, paragraphs }) =>
      html`<section class="guide" id="${anchorOf(title)}">
        <h2>${title}</h2>
        ${paragraphs.map((text) => html`<p>${withCode(text)}</p>`)}
      </section>`,
  )
}

/** Returns the sections of a guide as Markdown. */
export function guideMarkdown(sections: readonly GuideSection[]): string {
  return sections
    .map(({ title, paragraphs }) => `## ${title}\n\n${paragraphs.map((text) => `- ${text}`).join('\n')}\n`)
    .join('\n')
}

export function anchorOf(title: string): string {
  return title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
}

/** Returns a text whose code is between backticks. */
export function withCode(text: string): Html[] {
  return text.split('`').map((part, index) => (index % 2 ? html`<code>${part}</code>` : html`${part}`))
}
