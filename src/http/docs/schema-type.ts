import type { Schema } from './document.ts'

/** Returns a schema's type in words, such as `integer or null` or `list of object`. */
export function schemaType(schema: Schema): string {
  if (schema.enum) return schema.enum.map((option) => JSON.stringify(option)).join(' | ')
  if (schema.anyOf) return schema.anyOf.map(schemaType).join(' or ')
  if (schema.type === 'array') return `list of ${schema.items ? schemaType(schema.items) : 'anything'}`
  if (schema.format === 'binary') return 'bytes'
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object')
    return `object of ${schemaType(schema.additionalProperties)}`
  return schema.type ?? 'anything'
}

/** Returns a schema's bounds and default, such as `1 to 65,535` or `default 30000`. */
export function schemaBounds({ minimum, maximum, minLength, maxLength, default: fallback }: Schema): string[] {
  const bounds: string[] = []
  if (minimum !== undefined && maximum !== undefined) bounds.push(`${number(minimum)} to ${number(maximum)}`)
  else if (minimum !== undefined) bounds.push(`at least ${number(minimum)}`)
  else if (maximum !== undefined) bounds.push(`at most ${number(maximum)}`)
  if (maxLength !== undefined && minLength) bounds.push(`${number(minLength)} to ${number(maxLength)} characters`)
  else if (maxLength !== undefined) bounds.push(`at most ${number(maxLength)} characters`)
  if (fallback !== undefined) bounds.push(`default ${JSON.stringify(fallback)}`)
  return bounds
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}
