type Node = Record<string, unknown>

/**
 * Converts a document to OpenAPI 3.0, for the many tools that read no other version. Schemas of 3.1 are JSON Schema;
 * 3.0 has its own keywords, such as `nullable` for a value that can be null.
 */
export function openApi30(document: object): Node {
  const { info, paths, components, ...rest } = document as Node
  const { schemas, ...more } = nodeOf(components)
  return {
    ...rest,
    openapi: '3.0.3',
    info: withLicense(nodeOf(info)),
    paths: each(paths, (methods) => each(methods, operationOf)),
    components: { ...more, schemas: each(schemas, schemaOf) },
  }
}

/** OpenAPI 3.0 identifies a license by URL, not by identifier. */
function withLicense(info: Node): Node {
  const { name } = nodeOf(info['license'])
  return { ...info, license: { name, url: `https://spdx.org/licenses/${String(name)}` } }
}

function operationOf(operation: unknown): Node {
  const { parameters, requestBody, responses, ...rest } = nodeOf(operation)
  return {
    ...rest,
    ...(Array.isArray(parameters) ? { parameters: parameters.map(withSchema) } : {}),
    ...(requestBody === undefined ? {} : { requestBody: withContent(requestBody) }),
    responses: each(responses, withContent),
  }
}

function withContent(part: unknown): Node {
  const { content, ...rest } = nodeOf(part)
  return content === undefined ? rest : { ...rest, content: each(content, withSchema) }
}

function withSchema(holder: unknown): Node {
  const { schema, ...rest } = nodeOf(holder)
  return schema === undefined ? rest : { ...rest, schema: schemaOf(schema) }
}

function schemaOf(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema
  const { const: only, examples, patternProperties, ...node } = nodeOf(schema)
  const inner: Node = { ...node }
  if (only !== undefined) inner['enum'] = [only]
  if (Array.isArray(examples) && examples.length > 0) inner['example'] = examples[0]
  // OpenAPI 3.0 cannot describe the names of the fields, only their values.
  const [ofAnyName] = Object.values(nodeOf(patternProperties))
  if (ofAnyName !== undefined) inner['additionalProperties'] = ofAnyName
  for (const key of ['items', 'additionalProperties', 'not'] as const)
    if (key in inner) inner[key] = schemaOf(inner[key])
  if ('properties' in inner) inner['properties'] = each(inner['properties'], schemaOf)
  for (const key of ['allOf', 'oneOf', 'anyOf'] as const)
    if (Array.isArray(inner[key])) inner[key] = inner[key].filter((one) => !isNull(one)).map(schemaOf)
  return withType(withBounds(inner), isNullable(nodeOf(schema)))
}

/** Splits several types into a schema for each. */
function withType({ type, ...node }: Node, nullable: boolean): Node {
  const types = [type].flat().filter((one) => one !== undefined && one !== 'null')
  const anyOf = types.length > 1 ? types.map((one) => ({ type: one })) : node['anyOf']
  const typed: Node = { ...node, ...(types.length === 1 ? { type: types[0] } : {}), ...(anyOf ? { anyOf } : {}) }
  return nullable ? orNull(typed) : typed
}

/** Moves `nullable` beside the type, the only place where it has an effect. */
function orNull(schema: Node): Node {
  const { anyOf, ...around } = schema
  if (Array.isArray(anyOf)) {
    const [first, ...others] = anyOf as Node[]
    if (others.length > 0) return { ...around, anyOf: [orNull(first!), ...others] }
    return { ...orNull(first!), ...around }
  }
  // Keywords beside a reference are ignored.
  if ('$ref' in schema) return { type: 'object', nullable: true, allOf: [schema] }
  const values = schema['enum']
  return { type: 'string', ...schema, nullable: true, ...(Array.isArray(values) ? { enum: [...values, null] } : {}) }
}

function isNullable({ type, anyOf, oneOf }: Node): boolean {
  return [type].flat().includes('null') || [anyOf, oneOf].flat().some(isNull)
}

function isNull(schema: unknown): boolean {
  return nodeOf(schema)['type'] === 'null'
}

/** In OpenAPI 3.0 a bound is a number, with a flag beside it that says whether the bound itself is excluded. */
function withBounds({ exclusiveMinimum, exclusiveMaximum, ...node }: Node): Node {
  return {
    ...node,
    ...(typeof exclusiveMinimum === 'number' ? { minimum: exclusiveMinimum, exclusiveMinimum: true } : {}),
    ...(typeof exclusiveMaximum === 'number' ? { maximum: exclusiveMaximum, exclusiveMaximum: true } : {}),
  }
}

function each(map: unknown, change: (value: unknown) => unknown): Node {
  return Object.fromEntries(Object.entries(nodeOf(map)).map(([key, value]) => [key, change(value)]))
}

function nodeOf(value: unknown): Node {
  return (value ?? {}) as Node
}
