import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openApi30 } from './openapi-30.ts'

/** Converts a document that has the schema everywhere a schema can be; returns the converted schema. */
function converted(schema: object): unknown {
  const content = { 'application/json': { schema, example: { type: ['null'] } } }
  const operation = {
    parameters: [{ name: 'x', in: 'query', schema }],
    requestBody: { content },
    responses: { 200: { description: 'ok', content }, 204: { description: 'none' } },
  }
  const { paths, components, openapi } = openApi30({
    openapi: '3.1.0',
    info: { title: 'x', version: '1', license: { name: 'MIT', identifier: 'MIT' } },
    paths: { '/x': { post: operation } },
    components: { schemas: { X: schema }, securitySchemes: { bearer: { type: 'http' } } },
  }) as Record<string, Record<string, Record<string, any>>> // oxlint-disable-line typescript/no-explicit-any -- a document of any shape
  assert.equal(openapi, '3.0.3')
  const { parameters, requestBody, responses } = paths!['/x']!['post']
  const { schema: found, example } = requestBody.content['application/json']
  for (const other of [
    parameters[0].schema,
    responses[200].content['application/json'].schema,
    components!['schemas']!['X'],
  ])
    assert.deepEqual(other, found)
  assert.deepEqual(example, { type: ['null'] }, 'an example is not a schema')
  assert.deepEqual(components!['securitySchemes'], { bearer: { type: 'http' } })
  return found
}

for (const [what, schema, expected] of [
  [
    'a text or null',
    { anyOf: [{ type: 'string', maxLength: 9 }, { type: 'null' }], description: 'x' },
    { type: 'string', maxLength: 9, nullable: true, description: 'x' },
  ],
  ['a list of types', { type: ['integer', 'null'] }, { type: 'integer', nullable: true }],
  ['several types', { type: ['integer', 'string'] }, { anyOf: [{ type: 'integer' }, { type: 'string' }] }],
  [
    'several schemas or null',
    { anyOf: [{ type: 'string' }, { type: 'integer' }, { type: 'null' }] },
    { anyOf: [{ type: 'string', nullable: true }, { type: 'integer' }] },
  ],
  [
    'a choice or null',
    { anyOf: [{ type: 'string', enum: ['a'] }, { type: 'null' }] },
    { type: 'string', enum: ['a', null], nullable: true },
  ],
  [
    'a reference or null',
    { anyOf: [{ $ref: '#/x' }, { type: 'null' }] },
    { type: 'object', nullable: true, allOf: [{ $ref: '#/x' }] },
  ],
  ['one value', { const: 'a', type: 'string' }, { type: 'string', enum: ['a'] }],
  ['examples', { type: 'string', examples: ['a', 'b'] }, { type: 'string', example: 'a' }],
  [
    'an exclusive bound',
    { type: 'number', exclusiveMinimum: 0 },
    { type: 'number', minimum: 0, exclusiveMinimum: true },
  ],
  [
    'fields of any name',
    { type: 'object', patternProperties: { '^x': { type: ['string', 'null'] } } },
    { type: 'object', additionalProperties: { type: 'string', nullable: true } },
  ],
  [
    'fields with the names of keywords',
    {
      type: 'object',
      properties: { const: { type: 'string' }, type: { type: ['string', 'null'] } },
      additionalProperties: false,
    },
    {
      type: 'object',
      properties: { const: { type: 'string' }, type: { type: 'string', nullable: true } },
      additionalProperties: false,
    },
  ],
  [
    'schemas inside lists',
    {
      type: 'array',
      items: { anyOf: [{ type: 'object', properties: { a: { type: ['string', 'null'] } } }, { type: 'null' }] },
    },
    { type: 'array', items: { type: 'object', properties: { a: { type: 'string', nullable: true } }, nullable: true } },
  ],
] as const)
  test(`OpenAPI 3.0 has its own form of ${what}`, () => assert.deepEqual(converted(schema), expected))
