import { html, Html } from '../docs/html.ts'

interface CodeBlock {
  caption?: string | undefined
  /** Long lines are wrapped instead of scrolled, such as a token's. */
  wrapped?: boolean | undefined
}

/** Returns a block of code, to which the script of the page adds a button that copies it. */
export function codeBlock(text: string, { caption, wrapped = false }: CodeBlock = {}): Html {
  const code = html`${text}`.text
  const head = caption === undefined ? '' : html`<figcaption>${caption}</figcaption>`.text
  // Written without line breaks of its own, because they would show.
  return new Html(
    `<figure class="code${wrapped ? ' wrapped' : ''}">${head}<pre tabindex="0"><code>${code}</code></pre></figure>`,
  )
}
