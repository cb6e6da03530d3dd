import { html, Html } from './html.ts'

/** Strings, and words of the languages. */
const inPrograms =
  /(?<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\b(?:import|from|const|await|async|for|of|if|new|with|as|in|break|true|false|null|True|False|None)\b/g
/** In a shell, a quote inside single quotes is written `'\''`. */
const inCommands = /(?<string>"(?:[^"\\]|\\.)*"|'[^']*'(?:\\''[^']*')*)|\b(?:curl|export|npx)\b/g

/** Returns code as HTML, with strings in `<i>` and words of the language in `<b>`. */
export function highlight(code: string, language: 'shell' | 'typescript' | 'python' | 'json'): Html {
  let end = 0
  let text = ''
  for (const { 0: token, index, groups } of code.matchAll(language === 'shell' ? inCommands : inPrograms)) {
    text += html`${code.slice(end, index)}`.text
    text += groups?.['string'] === undefined ? html`<b>${token}</b>`.text : html`<i>${token}</i>`.text
    end = index + token.length
  }
  return new Html(text + html`${code.slice(end)}`.text)
}
