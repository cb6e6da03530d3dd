import { CarrelError } from '../errors.ts'
import { formatWords, patternWords } from './patterns.ts'
import { similarField } from './unknown-fields.ts'

/** The part of a validation error that Ajv and TypeBox have in common. */
export interface SchemaError {
  keyword: string
  /** JSON pointer to the value. */
  instancePath: string
  params: Record<string, unknown>
}

/**
 * Returns the refusal of a value as a sentence: which field, what it must be, what it is. `whole` is the name of the
 * value as a whole, such as `body`. With a `schema`, the refusal of an unknown field suggests one with a similar name.
 */
export function invalidValue(
  errors: readonly SchemaError[],
  value: unknown,
  whole: string,
  schema?: unknown,
): CarrelError {
  const { keyword, instancePath, params } = mostTelling(errors)
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
    return refuse(at(extra), noSuchField(schema, path, extra))
  }
  // This is how TypeBox reports a field that the schema does not have.
  if (keyword === 'boolean') return refuse(at(), noSuchField(schema, path.slice(0, -1), path.at(-1)))
  const found = path.reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], value)
  const expected = `it must ${expectation(keyword, params)}`
  return refuse(at(), expected.endsWith('empty') ? expected : `${expected}; got ${shown(found, keyword)}`)
}

/**
 * Returns the error that says most about a value. Where no choice of a union fits, that is an error inside a choice,
 * else one of the choice whose type is right, else that the value has none of the types.
 */
function mostTelling(errors: readonly SchemaError[]): SchemaError {
  const first = errors.find(({ keyword }) => keyword !== 'anyOf') ?? errors[0]
  if (!first) return { keyword: '', instancePath: '', params: {} }
  const choices = errors.some(({ keyword, instancePath }) => keyword === 'anyOf' && instancePath === first.instancePath)
  if (!choices) return first
  const inner = errors.find(({ instancePath }) => instancePath.startsWith(`${first.instancePath}/`))
  const own = errors.filter(({ keyword, instancePath }) => keyword !== 'anyOf' && instancePath === first.instancePath)
  const ofRightType = own.find(({ keyword }) => keyword !== 'type')
  const type = own.flatMap(({ params }) => params['type'] as string | string[])
  return inner ?? ofRightType ?? { ...first, params: { type } }
}

function noSuchField(schema: unknown, path: readonly string[], name: unknown): string {
  const object = path.reduce<Node | undefined>((node, part) => node?.properties?.[part] ?? node?.items, schema as Node)
  const similar = similarField(String(name), object?.properties ?? {})
  return `there is no such field here${similar === undefined ? '' : `; did you mean "${similar}"?`}`
}

/** The part of a JSON schema that leads to its inner schemas. */
interface Node {
  properties?: Record<string, Node>
  items?: Node
}

function expectation(keyword: string, params: Record<string, unknown>): string {
  const { type, limit, pattern, format, allowedValues, allowedValue } = params as {
    type?: string | string[]
    limit?: number
    pattern?: string | RegExp
    format?: string
    allowedValues?: unknown[]
    allowedValue?: unknown
  }
  switch (keyword) {
    case 'type':
      return `be ${oneOf([type].flat().map(String))}`
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
      return limit === 1 ? 'not be empty' : `be a list of at least ${items(limit)}`
    case 'maxItems':
      return `be a list of at most ${items(limit)}`
    case 'minProperties':
      return limit === 1 ? 'not be empty' : `have at least ${limit} fields`
    case 'maxProperties':
      return `have at most ${limit} fields`
    case 'uniqueItems':
      return 'contain no duplicates'
    case 'pattern':
      return patternWords(pattern instanceof RegExp ? pattern.source : String(pattern)) ?? otherwise
    case 'format':
      return formatWords(String(format)) ?? otherwise
    default:
      return otherwise
  }
}

/** Returns the names of types, such as `a string, a number or null`. */
function oneOf(types: readonly string[]): string {
  const names = types.flatMap((type) => (type === 'boolean' ? ['true', 'false'] : (typeNames[type] ?? type)))
  return [names.slice(0, -1).join(', '), names.at(-1)].filter(Boolean).join(' or ')
}

const otherwise = 'be as the route documents it'

const typeNames: Record<string, string> = {
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  array: 'a list',
  object: 'an object',
  null: 'null',
}

/** Describes a value briefly; by its size alone where only the size is wrong. */
function shown(value: unknown, keyword: string): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${items(value.length)}`
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value !== 'string') return JSON.stringify(value)
  if (keyword === 'minLength' || keyword === 'maxLength') return String(lengthOf(value))
  const text = JSON.stringify(value.slice(0, maxShown))
  return keyword === 'type' ? `the string ${text}` : text
}

function items(count = 0): string {
  return `${count} ${count === 1 ? 'item' : 'items'}`
}

/** Returns the number of characters; for a very long text, that of UTF-16 code units. */
function lengthOf(text: string): number {
  return text.length > maxCounted ? text.length : Array.from(text).length
}

function unescape(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** How many characters of a value an error repeats. */
const maxShown = 60
const maxCounted = 100_000
