/** Text that is already HTML. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toString(): string {
    return this.text
  }
}

type Value = string | number | Html | undefined | false | readonly Value[]

/**
 * Returns HTML, escaping every value that is not `Html`. `undefined` and `false` render as nothing, lists are joined.
 */
export function html(strings: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(
    strings.map((text, index) => outdented(text) + (index < values.length ? render(values[index]) : '')).join(''),
  )
}

/** The indentation of templates would be a fifth of a large page. Two spaces, as in code, are kept. */
function outdented(text: string): string {
  return text.replaceAll(/\n {3,}/g, '\n')
}

function render(value: Value): string {
  if (value === undefined || value === false) return ''
  if (value instanceof Html) return value.text
  if (typeof value === 'object') return value.map(render).join('')
  return String(value).replaceAll(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`)
}
