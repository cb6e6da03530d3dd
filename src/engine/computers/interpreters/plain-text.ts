import type { MimeBundle } from './kernel-events.ts'
import { htmlText } from './html-text.ts'

/**
 * Returns what stands for a displayed value where only text can be shown: its own text, unless that only says which
 * class it has, as in `<IPython.core.display.Markdown object>`; then its source, the text of its HTML, its JSON or the
 * kind of image.
 */
export function plainTextOf(bundle: MimeBundle): string | undefined {
  const { 'text/plain': own, 'text/html': html } = bundle
  if (typeof own === 'string' && !onlyClass.test(own)) return own
  for (const form of ['text/markdown', 'text/latex']) if (typeof bundle[form] === 'string') return bundle[form]
  if (typeof html === 'string') return htmlText(html)
  for (const [form, value] of Object.entries(bundle)) {
    const [, image] = /^image\/(\w+)/.exec(form) ?? []
    if (image !== undefined) return `${image.toUpperCase()} image`
    if (isJson.test(form)) return jsonText(value)
    if (form !== 'text/plain' && typeof value === 'string') return value
  }
  return typeof own === 'string' ? own : undefined
}

/** Python's and IPython's text for a value whose class defines none. */
const onlyClass = /^<[\w.]{1,200}( object| at 0x[\da-f]{1,16}| object at 0x[\da-f]{1,16})>$/
const isJson = /^application\/([\w.-]+\+)?json$/

/** Returns a value as JSON, or a summary of a large one. */
function jsonText(value: unknown): string {
  let left = maxJsonLength
  try {
    return JSON.stringify(value, (key, part: unknown) => {
      left -= key.length + (typeof part === 'string' ? part.length : 4)
      if (left < 0) throw tooLong
      return part
    })
  } catch (error) {
    if (error !== tooLong) throw error
    if (typeof value === 'string') return value
    return Array.isArray(value)
      ? `A list of length ${value.length}, too long to show as text`
      : `An object of size ${Object.keys(value as object).length}, too long to show as text`
  }
}

const tooLong = new Error('the JSON is too long')
const maxJsonLength = 64 * 1024
