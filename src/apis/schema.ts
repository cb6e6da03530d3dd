import { Type, type TSchema } from 'typebox'

/** Returns the schema of an object that has these fields and no others. */
export function object<T extends Record<string, TSchema>>(properties: T) {
  return Type.Object(properties, { additionalProperties: false })
}

/** Returns a schema that also accepts null. */
export function nullable<T extends TSchema>(schema: T, options: { description?: string } = {}) {
  return Type.Union([schema, Type.Null()], options)
}

/** Returns the schema of a time; `description` says of what. */
export function time(description?: string) {
  return Type.String({ description: described(description, 'UTC, ISO 8601') })
}

export function nullableTime(description?: string) {
  return nullable(Type.String(), { description: described(description, 'UTC, ISO 8601') })
}

export function nullableText(description?: string) {
  return nullable(Type.String(), description === undefined ? {} : { description })
}

/** Returns the schema of an amount of whole US cents. */
export function cents(description: string) {
  return Type.Integer({ description: `${description}, in US cents` })
}

/** Returns the schema of an amount of US dollars, with fractions of a cent. */
export function dollars(description?: string) {
  return Type.Number({ description: description === undefined ? 'US dollars' : `${description}, in US dollars` })
}

/** Returns the OpenAPI description of an answer that is a page for a browser and JSON for every other client. */
export function pageOrJson(description: string, schema: TSchema) {
  return { description, content: { 'text/html': { schema: Type.String() }, 'application/json': { schema } } }
}

function described(description: string | undefined, unit: string): string {
  return description === undefined ? unit : `${description}; ${unit}`
}
