import { Type, type TSchema } from 'typebox'

/** Returns the schema of an object that has these fields and no others. */
export function object<T extends Record<string, TSchema>>(properties: T) {
  return Type.Object(properties, { additionalProperties: false })
}

/** Returns how OpenAPI describes an answer that is a page for a browser, and JSON for every other client. */
export function pageOrJson(description: string, schema: TSchema) {
  return { description, content: { 'text/html': { schema: Type.String() }, 'application/json': { schema } } }
}
