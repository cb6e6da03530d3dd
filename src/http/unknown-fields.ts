import { nearestOf } from '../suggestion.ts'
import { mostSimilar } from './similarity.ts'

/** The part of a JSON schema that is used here. */
interface Node {
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  anyOf?: Node[]
  items?: Node
  properties?: Record<string, Node>
  required?: string[]
  additionalProperties?: unknown
}

interface Options {
  /** Leaves unknown fields in place, which then do not fit the schema. Default: false. */
  keepsUnknown?: boolean
}

/**
 * Removes from a value that was parsed from JSON what clients of other services send beside what a schema has: fields
 * that it does not have, and null in optional ones, which means that they are missing. Returns a sentence about each
 * field that was not null, in ASCII; about the first few if there are many.
 */
export function removeUnknown(schema: unknown, value: unknown, { keepsUnknown = false }: Options = {}): string[] {
  const found: Unknown[] = []
  let count = 0
  // As deep as the schema, not as the value.
  const visit = (node: Node, inner: unknown, path: string): void => {
    if (typeof inner !== 'object' || inner === null) return
    if (Array.isArray(inner)) {
      if (node.items?.properties) for (const [at, item] of inner.entries()) visit(node.items, item, `${path}${at}.`)
      return
    }
    const { properties, required = [], additionalProperties } = node.anyOf?.find((one) => one.properties) ?? node
    if (!properties) return
    const fields = inner as Record<string, unknown>
    for (const [name, field] of Object.entries(fields)) {
      const known = Object.hasOwn(properties, name) ? properties[name] : undefined
      if (known) {
        if (field === null && !required.includes(name) && !takesNull(known)) delete fields[name]
        else visit(known, field, `${path}${name}.`)
      } else if (!keepsUnknown && additionalProperties === false) {
        delete fields[name]
        count++
        if (found.length < maxNamed) found.push({ path: `${path}${name}`, similar: similarField(name, properties) })
      }
    }
  }
  visit(schema as Node, value, '')
  return [...found.map(sentenceOf), ...(count > found.length ? [`${count - found.length} more were ignored.`] : [])]
}

interface Unknown {
  path: string
  similar: string | undefined
}

/** Returns the field of a schema that a name resembles, if any. */
export function similarField(name: string, properties: object): string | undefined {
  const word = name.slice(0, maxNameLength)
  const fields = Object.keys(properties)
  const [similar] = mostSimilar(word, fields, (field) => field)
  return similar ?? nearestOf(word, fields)
}

function sentenceOf({ path, similar }: Unknown): string {
  const ending = similar === undefined ? '.' : `; did you mean "${similar}"?`
  return `Unknown field ${asAscii(JSON.stringify(path.slice(0, maxNameLength)))} was ignored${ending}`
}

/** Escapes what no header can hold. JSON has escaped control characters already. */
function asAscii(json: string): string {
  return json.replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function takesNull({ type, enum: values, const: only, anyOf }: Node): boolean {
  if (anyOf) return anyOf.some(takesNull)
  if (values) return values.includes(null)
  if (only !== undefined) return only === null
  return type === undefined || [type].flat().includes('null')
}

const maxNamed = 4
const maxNameLength = 80
