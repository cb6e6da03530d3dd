import type { Schema } from './document.ts'
import { html, type Html } from './html.ts'
import { schemaBounds, schemaType } from './schema-type.ts'

export interface Field {
  name: string
  schema: Schema
  required: boolean
  description: string | undefined
}

/** Returns the properties of an object's schema. */
export function fieldsOf({ properties = {}, required = [] }: Schema): Field[] {
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    schema,
    required: required.includes(name),
    description: schema.description,
  }))
}

/** Returns fields with type, whether they are required, bounds and description; nested fields are indented. */
export function fieldList(fields: Field[], direction: 'request' | 'answer'): Html {
  return html`<dl class="fields">
    ${fields.map(({ name, schema, required, description }) => {
      const inner = fieldsOf(schema.type === 'array' ? (schema.items ?? {}) : schema)
      const bounds = schemaBounds(schema).join(', ')
      return html`<dt>
          <code>${name}</code> <span class="type">${schemaType(schema)}</span>${
            direction === 'request' && required && html` <span class="required">required</span>`
          }${direction === 'answer' && !required && html` <span class="type">optional</span>`}
        </dt>
        <dd>
          ${[description && html`<span>${description}</span>`, bounds && html` <span class="bounds">${bounds}</span>`, inner.length > 0 && fieldList(inner, direction)]}
        </dd>`
    })}
  </dl>`
}
