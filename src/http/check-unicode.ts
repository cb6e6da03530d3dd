import { CarrelError } from '../errors.ts'

/**
 * Throws `invalid_request` when a value that was parsed from JSON contains half a surrogate pair: it has no encoding in
 * UTF-8, and would be run or stored as another character. `text` is the JSON; only its escapes can produce one.
 */
export function checkUnicode(value: unknown, text: string | Buffer): void {
  if (!text.includes('\\u')) return
  // No recursion: the client decides how deep a body nests.
  const open: [field: string, value: unknown][] = [['', value]]
  for (let next = open.pop(); next; next = open.pop()) {
    const [field, inner] = next
    if (typeof inner === 'string' && !inner.isWellFormed()) throw refusal(field)
    if (typeof inner !== 'object' || inner === null) continue
    for (const [name, each] of Object.entries(inner)) {
      if (!name.isWellFormed()) throw refusal(field)
      open.push([field ? `${field}.${name}` : name, each])
    }
  }
}

function refusal(path: string): CarrelError {
  const field = path || 'body'
  return new CarrelError('invalid_request', `Cannot use field "${field}": it is not valid Unicode`, {
    details: { field },
  })
}
