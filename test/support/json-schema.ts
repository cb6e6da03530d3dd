/** Returns an OpenAPI 3.0 schema as JSON Schema, which expresses "or null" with a type instead of a flag. */
export function jsonSchemaOf(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(jsonSchemaOf)
  if (typeof schema !== 'object' || schema === null) return schema
  const { nullable, ...node } = schema as Record<string, unknown>
  const inner = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, jsonSchemaOf(value)]))
  return nullable === true ? { anyOf: [inner, { type: 'null' }] } : inner
}
