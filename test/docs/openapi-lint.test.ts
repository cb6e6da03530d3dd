import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openApiDocument, referencePages, type Document } from './reference.ts'

const linter = fileURLToPath(import.meta.resolve('@redocly/cli/bin/cli.js'))
const config = fileURLToPath(new URL('redocly.yaml', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'carrel-openapi-'))
after(() => rmSync(folder, { recursive: true }))

function lint(document: string) {
  const path = join(folder, 'openapi.json')
  writeFileSync(path, document)
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', NO_COLOR: '1' }
  return spawnSync(process.execPath, [linter, 'lint', '--config', config, path], { env, encoding: 'utf8' })
}

test('openapi.json passes the linter', async () => {
  const { 'docs/reference/openapi.json': document } = await referencePages()
  const { status, stdout, stderr } = lint(document!)
  assert.equal(status, 0, stdout + stderr)
})

test("Pawpado's own document passes the linter, and has only its routes", async () => {
  const document = await openApiDocument('/api/v1')
  const { status, stdout, stderr } = lint(JSON.stringify(document))
  assert.equal(status, 0, stdout + stderr)
  assert.ok(Object.keys(document.paths).length >= 7)
  for (const path of Object.keys(document.paths)) assert.match(path, /^\/api\/v1\//)
  assert.deepEqual(Object.keys(document.components.schemas), ['PawpadoError'])
})

test('the linter refuses what OpenAPI 3.0 does not have', async () => {
  const name = (document: Document) =>
    document.paths['/users/me']!['get']!.responses['200']!.content['application/json']!.schema.properties['name']!
  for (const wrong of [
    { type: ['string', 'null'] },
    { const: 'x' },
    { type: 'null' },
    { type: 'number', exclusiveMinimum: 5 },
  ]) {
    const document = await openApiDocument()
    Object.assign(name(document), wrong)
    assert.equal(lint(JSON.stringify(document)).status, 1, JSON.stringify(wrong))
  }
})

test('every operation has a successful response', async () => {
  const { paths } = JSON.parse((await referencePages())['docs/reference/openapi.json']!)
  for (const [path, operations] of Object.entries<Record<string, { responses: object }>>(paths))
    for (const [method, { responses }] of Object.entries(operations))
      assert.ok(
        Object.keys(responses).some((status) => /^(2..|101)$/.test(status)),
        `${method} ${path}`,
      )
})

test('the linter refuses a document with an example that does not match its schema', async () => {
  const document = JSON.parse((await referencePages())['docs/reference/openapi.json']!)
  document.paths['/execute'].post.requestBody.content['application/json'].example = { code: 5 }
  const { status, stdout } = lint(JSON.stringify(document))
  assert.equal(status, 1)
  assert.match(stdout, /no-invalid-media-type-examples/)
})
