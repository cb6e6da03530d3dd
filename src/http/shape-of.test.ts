import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { shapeOf } from './shape-of.ts'

test('shapeOf() names the fields of an object, and marks those that may be missing', () => {
  const schema = Type.Object({ success: Type.Boolean(), size: Type.Integer(), cursor: Type.Optional(Type.String()) })
  assert.equal(shapeOf(schema), '{ success, size, cursor? }')
  assert.equal(shapeOf(Type.Object({})), '{}')
  assert.equal(shapeOf(Type.Unknown()), 'JSON')
})

test('shapeOf() shows what lies within: objects, lists, values that may be null, and objects by name', () => {
  const file = Type.Object({ name: Type.String(), tags: Type.Array(Type.String()) })
  const schema = Type.Object({
    files: Type.Array(file),
    newest: Type.Union([file, Type.Null()]),
    byName: Type.Record(Type.String(), file),
  })
  assert.equal(
    shapeOf(schema),
    '{ files: [{ name, tags }], newest: { name, tags }, byName: { <name>: { name, tags } } }',
  )
})

test('shapeOf() ends at a depth', () => {
  const deep = Type.Object({ a: Type.Object({ b: Type.Object({ c: Type.Object({ d: Type.String() }) }) }) })
  assert.equal(shapeOf(deep), '{ a: { b: { c: { … } } } }')
  assert.equal(shapeOf(deep, 1), '{ a: { … } }')
})
