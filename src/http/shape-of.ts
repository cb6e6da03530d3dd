interface Shape {
  type?: string
  const?: unknown
  anyOf?: Shape[]
  items?: Shape
  properties?: Record<string, Shape>
  required?: readonly string[]
  patternProperties?: Record<string, Shape>
  additionalProperties?: boolean | Shape
}

/**
 * Returns an object's schema in short, such as `{ success, files: [{ name, size, target? }], cursor? }`. An optional
 * field has a question mark; what lies deeper than `depth` objects is `…`.
 */
export function shapeOf(schema: object, depth = 3): string {
  const { properties } = schema as Shape
  if (!properties) return 'JSON'
  const required = new Set((schema as Shape).required)
  const fields = Object.entries(properties).map(([name, field]) => {
    const inner = innerShape(field, depth - 1)
    return `${name}${required.has(name) ? '' : '?'}${inner === undefined ? '' : `: ${inner}`}`
  })
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`
}

/** Undefined for a field that its name says enough of. */
function innerShape(field: Shape, depth: number): string | undefined {
  const choice = field.anyOf?.map((each) => innerShape(each, depth)).find((shape) => shape !== undefined)
  if (choice !== undefined) return choice
  if (field.items) {
    const inner = innerShape(field.items, depth)
    return inner === undefined ? undefined : `[${inner}]`
  }
  const [values] = Object.values(field.patternProperties ?? {})
  const byName = values ?? (typeof field.additionalProperties === 'object' ? field.additionalProperties : undefined)
  if (byName && !field.properties) {
    const inner = innerShape(byName, depth)
    return inner === undefined ? undefined : `{ <name>: ${inner} }`
  }
  if (!field.properties) return undefined
  return depth > 0 ? shapeOf(field, depth) : '{ … }'
}
