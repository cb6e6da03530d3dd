import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Compile } from 'typebox/compile'
import { callExample, exampleOf, needsSecret, type Operation } from '../support/call-example.ts'
import { jsonSchemaOf } from '../support/json-schema.ts'
import { TestServer } from '../support/server.ts'

describe('the examples of openapi.json', { timeout: 300_000 }, () => {
  let server: TestServer
  let token: string
  let document: { paths: Record<string, Record<string, Operation>> }
  let operations: { method: string; path: string; operation: Operation }[]

  before(async () => {
    server = await TestServer.start({ env: { CARREL_PLAY_MONEY: 'on' } })
    token = await server.newAccount()
    document = (await server.call('GET', '/openapi.json', undefined, { token: null })).body
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    )
  })
  after(() => server.stop())

  /** Requests a stream, which may not end by itself. */
  const firstEvent = async (path: string, example: Record<string, unknown>): Promise<string> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const response = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(example) })
    assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
    let seen = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      seen += chunk
      if (seen.includes('\n\n')) break
    }
    return seen
  }

  test('exist for every operation with input', () => {
    for (const { method, path, operation } of operations) {
      for (const media of Object.values(operation.requestBody?.content ?? {})) {
        assert.ok(media.example, `${method} ${path}`)
        const { required = [] } = media.schema as { required?: string[] }
        for (const field of required) assert.ok(field in media.example, `${method} ${path} ${field}`)
      }
      for (const { name, required, example } of operation.parameters ?? [])
        if (required) assert.notEqual(example, undefined, `${method} ${path} ${name}`)
    }
  })

  test('get the documented responses, in the order of the document', async () => {
    for (const { method, path, operation } of operations) {
      if (operation.responses['101'] || needsSecret.has(`${method} ${path}`)) continue
      if (operation.responses['200']!.content!['text/event-stream']) {
        assert.match(await firstEvent(path, exampleOf(operation).example!), /^(id: \d+\n)?event: \w+\ndata: \{/, path)
        continue
      }
      const { status, headers, body } = await callExample(server, { method, path, ...exampleOf(operation) }, token)
      assert.equal(status, 200, `${method} ${path}: ${JSON.stringify(body).slice(0, 300)}`)
      const content = operation.responses['200']!.content!
      const type = headers.get('content-type')!.split(';')[0]!
      const media = content[type] ?? content['application/octet-stream']
      assert.ok(media, `${method} ${path} answers ${type}`)
      assert.deepEqual([...Compile(jsonSchemaOf(media.schema) as never).Errors(body)], [], `${method} ${path}`)
    }
  })

  test('are refused without a token, with the documented error', async () => {
    const { components } = document as unknown as { components: { schemas: Record<string, object> } }
    const isError = Object.fromEntries(
      Object.entries(components.schemas).map(([name, schema]) => [
        `#/components/schemas/${name}`,
        Compile(jsonSchemaOf(schema) as never),
      ]),
    )
    let refused = 0
    for (const { method, path, operation } of operations) {
      if (!operation.responses['401'] || operation.security.length === 0) continue
      const { status, body } = await callExample(server, { method, path, ...exampleOf(operation) }, 'pp_sess_wrong')
      assert.equal(status, 401, `${method} ${path}`)
      const { $ref } = operation.responses['401'].content!['application/json']!.schema as { $ref: string }
      assert.deepEqual([...isError[$ref]!.Errors(body)], [], `${method} ${path}`)
      refused++
    }
    assert.ok(refused >= 15)
  })
})
