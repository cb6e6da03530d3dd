import type { Operation } from './document.ts'
import { highlight } from './highlight.ts'
import { html, Html } from './html.ts'
import { exampleCommand } from './samples/curl.ts'
import { pythonSample } from './samples/python.ts'
import { typescriptSample } from './samples/typescript.ts'

/**
 * Returns a route's example in each language, one of which is visible: radio buttons choose it without a script, and
 * the script applies the choice to every sample and remembers it.
 */
export function sampleFigure(origin: string, operation: Operation): Html {
  const { id, isSocket } = operation
  const samples = [
    ['shell', isSocket ? 'Shell' : 'curl', exampleCommand(origin, operation, 'readable')],
    ['typescript', 'TypeScript', typescriptSample(origin, operation)],
    ['python', 'Python', pythonSample(origin, operation)],
  ] as const
  const choices = samples.map(
    ([name, title], index) =>
      html`<label
        ><input type="radio" name="${id}-language" value="${name}" ${index === 0 && html`checked`} />${title}</label
      >`,
  )
  const blocks = samples.map(
    ([name, , code]) =>
      new Html(`<pre tabindex="0" data-language="${name}"><code>${highlight(code, name).text}</code></pre>`),
  )
  return html`<figure class="code samples">
    <figcaption role="radiogroup" aria-label="Language of the sample">${choices}</figcaption>
    ${blocks}
  </figure>`
}
