import { highlight } from './highlight.ts'
import { html, Html } from './html.ts'

/** Returns a block of code below a caption. */
export function codeFigure(caption: string, code: Html): Html {
  // Written without line breaks of its own, because they would show.
  return new Html(
    `<figure class="code"><figcaption>${html`${caption}`.text}</figcaption><pre tabindex="0"><code>${code.text}</code></pre></figure>`,
  )
}

/** Returns a value as indented JSON. */
export function jsonFigure(caption: string, value: unknown): Html {
  return codeFigure(caption, highlight(JSON.stringify(value, undefined, 2), 'json'))
}
