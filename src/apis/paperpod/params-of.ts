interface ObjectSchema {
  properties?: Record<string, FieldSchema>
  required?: string[]
}

interface FieldSchema {
  type?: string
  anyOf?: FieldSchema[]
  items?: FieldSchema
  enum?: unknown[]
  default?: unknown
  description?: string
}

/** Returns the document's short form of a schema: type, required, enum, default, description. */
export function paramsOf(schema: unknown): Record<string, unknown> | undefined {
  const { properties, required = [] } = (schema ?? {}) as ObjectSchema
  if (!properties) return undefined
  return Object.fromEntries(
    Object.entries(properties).map(([name, field]) => [
      name,
      {
        type: typeOf(field),
        required: required.includes(name),
        enum: field.enum,
        default: field.default,
        description: field.description,
      },
    ]),
  )
}

function typeOf({ type, anyOf, items, enum: options }: FieldSchema): string {
  if (anyOf) return [...new Set(anyOf.map(typeOf))].join('|')
  if (type === 'integer') return 'number'
  if (type === 'array' && items) return `${typeOf(items)}[]`
  return type ?? (options ? typeof options[0] : 'object')
}
