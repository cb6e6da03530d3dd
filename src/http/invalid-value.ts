import { CarrelError } from '../errors.ts'

/** What Ajv and TypeBox alike say of a value that a schema refuses. */
export interface SchemaError {
  keyword: string
  /** JSON pointer to the value. */
  instancePath: string
  params: Record<string, unknown>
}

/**
 * The refusal of a value as a sentence: which field, what it has to be, what it is. `whole` is what the value as a whole
 * is called, e.g. `body`.
 */
export function invalidValue(errors: readonly SchemaError[], value: unknown, whole: string): CarrelError {
  const { keyword, instancePath, params } = errors[0] ?? { keyword: '', instancePath: '', params: {} }
  const path = instancePath.split('/').slice(1).map(unescape)
  const at = (name?: unknown) => [...path, ...(typeof name === 'string' ? [name] : [])].join('.') || whole
  const refuse = (field: string, why: string) =>
    new CarrelError('invalid_request', `Cannot use field "${field}": ${why}`, { details: { field } })
  if (keyword === 'required') {
    const { missingProperty, requiredProperties } = params as {
      missingProperty?: string
      requiredProperties?: string[]
    }
    return refuse(at(missingProperty ?? requiredProperties?.[0]), 'it is missing')
  }
  if (keyword === 'additionalProperties') {
    const { additionalProperty, additionalProperties } = params
    const extra = additionalProperty ?? (additionalProperties as string[] | undefined)?.[0]
    return refuse(at(extra), 'there is no such field here')
  }
  // What TypeBox says of a field that is none of the schema's.
  if (keyword === 'boolean') return refuse(at(), 'there is no such field here')
  const found = path.reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], value)
  const expected = `it must ${expectation(keyword, params)}`
  return refuse(at(), expected.endsWith('empty') ? expected : `${expected}; got ${shown(found, keyword)}`)
}

function expectation(keyword: string, params: Record<string, unknown>): string {
  const { type, limit, pattern, allowedValues, allowedValue } = params as {
    type?: string | string[]
    limit?: number
    pattern?: string | RegExp
    allowedValues?: unknown[]
    allowedValue?: unknown
  }
  switch (keyword) {
    case 'type':
      return `be ${[type]
        .flat()
        .map((name) => typeNames[String(name)] ?? String(name))
        .join(' or ')}`
    case 'enum':
      return `be one of ${(allowedValues ?? []).map(String).join(', ')}`
    case 'const':
      return `be ${JSON.stringify(allowedValue)}`
    case 'minimum':
      return `be at least ${limit}`
    case 'maximum':
      return `be at most ${limit}`
    case 'minLength':
      return limit === 1 ? 'not be empty' : `be at least ${limit} characters long`
    case 'maxLength':
      return `be at most ${limit} characters long`
    case 'minItems':
      return limit === 1 ? 'not be empty' : `be a list of at least ${limit}`
    case 'maxItems':
      return `be a list of at most ${limit}`
    case 'pattern':
      return characters(String(pattern instanceof RegExp ? pattern.source : pattern))
    default:
      return 'be as the route documents it'
  }
}

const typeNames: Record<string, string> = {
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null',
}

/** `^[A-Za-z0-9._-]*$` as words; any other pattern as it is. */
function characters(pattern: string): string {
  const [, set] = /^\^\[((?:[^\]\\]|\\.)+)\][*+]\$$/.exec(pattern) ?? []
  if (set === undefined) return `be of the form ${pattern}`
  const marks = set.replace('A-Za-z', '').replace('a-z', '').replace('0-9', '').replaceAll('\\', '')
  const kinds = [
    ...(set.includes('A-Za-z') ? ['letters from A to Z'] : set.includes('a-z') ? ['small letters from a to z'] : []),
    ...(set.includes('0-9') ? ['digits'] : []),
    ...(marks ? [marks.split('').join(' ')] : []),
  ]
  return `be made of ${kinds.join(', ')}`
}

/** Short, and without what it holds where only its size is wrong. */
function shown(value: unknown, keyword: string): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value !== 'string') return JSON.stringify(value)
  if (keyword === 'minLength' || keyword === 'maxLength') return String(Array.from(value).length)
  const text = JSON.stringify(value.slice(0, maxShown))
  return keyword === 'type' ? `the string ${text}` : text
}

function unescape(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** Characters of a value that an error repeats. */
const maxShown = 60
