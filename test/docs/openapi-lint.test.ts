import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { surfaces } from '../../src/apis/surfaces.ts'
import { surfaceOf } from '../../src/http/surface.ts'
import { openApiDocument, type Document } from './reference.ts'

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

test('the document of all surfaces passes the linter', async () => {
  const { status, stdout, stderr } = lint(JSON.stringify(await openApiDocument()))
  assert.equal(status, 0, stdout + stderr)
})

for (const surface of surfaces)
  test(`the document of ${surface.name} passes the linter, and refers only to the errors of its routes`, async () => {
    const document = await openApiDocument(surface)
    const { status, stdout, stderr } = lint(JSON.stringify(document))
    assert.equal(status, 0, stdout + stderr)
    assert.ok(Object.keys(document.paths).length > 0)
    const owners = Object.keys(document.paths).map((path) => surfaceOf(surfaces, path).envelope)
    const names = new Set(owners.flatMap(({ name, invalid }) => [name, ...(invalid ? [invalid.name] : [])]))
    for (const name of Object.keys(document.components.schemas)) assert.ok(names.has(name), name)
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
  for (const [path, operations] of Object.entries((await openApiDocument()).paths))
    for (const [method, { responses }] of Object.entries(operations))
      assert.ok(
        Object.keys(responses).some((status) => /^(2..|101)$/.test(status)),
        `${method} ${path}`,
      )
})

test('the linter refuses a document with an example that does not match its schema', async () => {
  const document = JSON.parse(JSON.stringify(await openApiDocument()))
  document.paths['/execute'].post.requestBody.content['application/json'].example = { code: 5 }
  const { status, stdout } = lint(JSON.stringify(document))
  assert.equal(status, 1)
  assert.match(stdout, /no-invalid-media-type-examples/)
})
