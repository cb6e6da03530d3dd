import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { callExample, needsSecret } from '../support/call-example.ts'
import { newSession, TestServer } from '../support/server.ts'
import { readFrames } from './sse-frames.ts'

const cliProgram = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

interface Param {
  type: string
  required: boolean
  enum?: unknown[]
  default?: unknown
}

/** The parts of PaperPod's document about accounts and money, with their fields. */
const accountFields: Record<string, string> = {
  authentication: 'flow steps tokenMethods tokenExpiry notes',
  'authentication>tokenMethods': 'cli envVar header',
  pricing: 'model freeCredits topUp tiers rates newAccountCredits',
  'pricing>tiers': 'micro starter pro scale',
  'pricing>rates': 'compute browser ai agentMemory previewUrls fileIO',
  'endpoints>POST /login': 'description auth params returns notes flows',
  'endpoints>POST /login>params': 'email wallet Authorization',
  'endpoints>POST /login>params>Authorization': 'type required description',
  'endpoints>POST /login>returns': 'email wallet_no_payment wallet_with_payment',
  'endpoints>POST /login>flows': 'email wallet',
  'endpoints>GET /login/callback': 'description auth notes',
  'endpoints>POST /auth/refresh': 'description auth params returns notes important',
  'endpoints>POST /auth/refresh>params': 'token',
  'endpoints>POST /topup': 'description auth params returns notes agentInstruction',
  'endpoints>POST /topup>params': 'tier amountCents X-Session-Token',
  'endpoints>POST /topup>params>X-Session-Token': 'type required description',
  'endpoints>POST /topup>returns': 'challenge success',
  'endpoints>GET /balance': 'description auth returns',
}

/** The served routes of PaperPod's document, with their parameters as documented. */
const documented: Record<string, Record<string, Param> | undefined> = {
  'GET /': undefined,
  'GET /health': undefined,
  'POST /execute': {
    code: { type: 'string', required: true },
    language: { type: 'string', enum: ['python', 'javascript', 'shell'], required: true },
    sessionId: { type: 'string', required: false },
    timeout: { type: 'number', required: false, default: 30000 },
    env: { type: 'object', required: false },
  },
  'POST /execute/stream': undefined,
  'POST /interpret': {
    code: { type: 'string', required: true },
    language: { type: 'string', enum: ['python', 'javascript'], required: false, default: 'python' },
    sessionId: { type: 'string', required: false },
  },
  'POST /files/write': {
    path: { type: 'string', required: true },
    content: { type: 'string', required: true },
    sessionId: { type: 'string', required: false },
  },
  'POST /files/read': { path: { type: 'string', required: true }, sessionId: { type: 'string', required: false } },
  'POST /files/list': { path: { type: 'string', required: true }, sessionId: { type: 'string', required: false } },
  'POST /watch': {
    path: { type: 'string', required: true },
    recursive: { type: 'boolean', required: false, default: true },
    include: { type: 'string[]', required: false },
    exclude: { type: 'string[]', required: false },
    sessionId: { type: 'string', required: false },
  },
  'POST /files/mkdir': { path: { type: 'string', required: true }, sessionId: { type: 'string', required: false } },
  'POST /files/upload': { file: { type: 'File', required: true }, path: { type: 'string', required: true } },
  'GET /files/download': { path: { type: 'string', required: true } },
  'POST /process/start': {
    command: { type: 'string', required: true },
    processId: { type: 'string', required: false },
    sessionId: { type: 'string', required: false },
  },
  'POST /process/list': { sessionId: { type: 'string', required: false } },
  'POST /process/get': {
    processId: { type: 'string', required: true },
    sessionId: { type: 'string', required: false },
  },
  'POST /process/kill': {
    processId: { type: 'string', required: true },
    sessionId: { type: 'string', required: false },
  },
  'POST /expose': { port: { type: 'number', required: true }, sessionId: { type: 'string', required: false } },
  'POST /memory/write': { path: { type: 'string', required: true }, content: { type: 'string', required: true } },
  'POST /memory/read': { path: { type: 'string', required: true } },
  'POST /memory/list': { prefix: { type: 'string', required: false } },
  'POST /memory/delete': { path: { type: 'string', required: true } },
  'POST /memory/usage': undefined,
}

describe('GET /', () => {
  let server: TestServer
  // oxlint-disable-next-line typescript/no-explicit-any -- the document is a tree of every shape
  let document: any
  // oxlint-disable-next-line typescript/no-explicit-any -- so is this one
  let openapi: any

  before(async () => {
    server = await TestServer.start({ env: { CARREL_PLAY_MONEY: 'on' } })
    document = (await server.call('GET', '/', undefined, { token: null })).body
    openapi = (await server.call('GET', '/openapi/paperpod.json', undefined, { token: null })).body
  })
  after(() => server.stop())

  test('returns the document without a token, in its version', async () => {
    const { status, headers } = await server.call('GET', '/', undefined, { token: null })
    assert.deepEqual([status, headers.get('content-type')], [200, 'application/json; charset=utf-8'])
    assert.deepEqual([document.schemaVersion, document.apiVersion], ['2026-01-26', 'v2'])
    assert.equal(document.baseUrl, server.url)
  })

  test("has every field of PaperPod's document on signing in and paying", () => {
    for (const [parent, keys] of Object.entries(accountFields)) {
      const found = parent.split('>').reduce((tree, key) => tree?.[key], document) ?? {}
      for (const key of keys.split(' ')) assert.ok(found[key] !== undefined, `${parent}>${key} is missing`)
    }
    const { params } = document.endpoints['POST /topup']
    assert.deepEqual([params['X-Session-Token'].type, params['X-Session-Token'].required], ['header', true])
  })

  test('states what credit is worth by the price book', () => {
    const { tiers, freeCredits, newAccountCredits } = document.pricing
    assert.deepEqual(tiers, {
      micro: '$1 (~3 hours)',
      starter: '$5 (~14 hours)',
      pro: '$20 (~61 hours, +10% bonus)',
      scale: '$100 (~333 hours, +20% bonus)',
    })
    assert.match(freeCredits, /\$5 \(~14 hours/)
    assert.match(newAccountCredits, /^\$5 /)
  })

  test('lists exactly the routes of /openapi/paperpod.json', () => {
    const routes = Object.entries(openapi.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    assert.deepEqual(Object.keys(document.endpoints).toSorted(), routes.toSorted())
  })

  for (const [route, params] of Object.entries(documented))
    test(`describes ${route} with the parameters of PaperPod's document`, () => {
      const entry = document.endpoints[route]
      assert.ok(entry, 'it is not listed')
      for (const [name, expected] of Object.entries(params ?? {})) {
        const { type, required, enum: options, default: fallback } = entry.params[name]
        assert.deepEqual(
          { type, required, enum: options, default: fallback },
          { enum: undefined, default: undefined, ...expected },
          name,
        )
      }
    })

  test('has the type, requiredness, choices and default of each parameter from the schema', () => {
    let compared = 0
    for (const [route, { params }] of Object.entries<{ params?: Record<string, Param> | string }>(document.endpoints)) {
      const [method, path] = route.split(' ') as [string, string]
      const operation = openapi.paths[path][method.toLowerCase()]
      const schema = operation.requestBody?.content['application/json']?.schema
      if (!schema || typeof params !== 'object') continue
      const fields = Object.entries(params).filter(([, { type }]) => type !== 'header')
      assert.deepEqual(
        fields.map(([name]) => name),
        Object.keys(schema.properties),
        route,
      )
      for (const [name, param] of fields) {
        const property = schema.properties[name]
        assert.deepEqual(param.default, property.default, `${route} ${name}`)
        assert.deepEqual(param.enum, property.enum, `${route} ${name}`)
        assert.equal(param.required, schema.required?.includes(name) ?? false, `${route} ${name}`)
        const choice = property.anyOf
          ?.map((one: { type: string }) => (one.type === 'integer' ? 'number' : one.type))
          .join('|')
        const type = property.type ?? choice ?? typeof property.enum[0]
        const short =
          type === 'integer'
            ? 'number'
            : type === 'array'
              ? `${property.items.type ?? typeof property.items.enum[0]}[]`
              : type
        assert.equal(param.type, property.nullable ? `${short}|null` : short, `${route} ${name}`)
        compared++
      }
    }
    assert.ok(compared > 25, `compared only ${compared} parameters`)
  })

  test('states correctly whether each route needs a token', async () => {
    for (const [route, { auth }] of Object.entries<{ auth: boolean | string }>(document.endpoints)) {
      const [method, path] = route.split(' ') as [string, string]
      const { status } = await server.call(method, path, method === 'GET' ? undefined : {}, { token: null })
      assert.equal(status === 401, auth !== false, `${route} answered ${status}`)
    }
  })

  test('contains examples that work, in the order of the document', async () => {
    const token = await server.newAccount()
    let called = 0
    const endpoints = Object.entries<{ example?: Record<string, unknown>; contentType?: string }>(document.endpoints)
    for (const [route, { example, contentType }] of endpoints) {
      if (example === undefined || needsSecret.has(route)) continue
      const [method, path] = route.split(' ') as [string, string]
      if (path === '/watch') {
        await watches(example, token)
        called++
        continue
      }
      // The example of a deletion removes what earlier examples created.
      const { status, body } = await callExample(
        server,
        { method, path, parts: partsOf(route), example, contentType },
        token,
      )
      assert.equal(status, 200, `${route}: ${JSON.stringify(body).slice(0, 300)}`)
      called++
    }
    assert.ok(called >= 13, `only ${called} examples`)
  })

  const partsOf = (route: string): Record<string, unknown> => {
    const [method = '', path = ''] = route.split(' ')
    const { parameters = [] } = openapi.paths[path][method.toLowerCase()]
    return Object.fromEntries(
      parameters.map(({ name, example }: { name: string; example: unknown }) => [name, example]),
    )
  }

  /** Starts a watch and aborts it once it has begun, because the response does not end. */
  async function watches(example: unknown, token: string): Promise<void> {
    const controller = new AbortController()
    const response = await fetch(`${server.url}/watch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(example),
      signal: controller.signal,
    })
    for await (const { event } of readFrames(response)) {
      assert.equal(event, 'watching')
      break
    }
    controller.abort()
  }

  test('describes the environment correctly', async () => {
    const sessionId = newSession()
    const { cpus, memoryBytes } = document.environment.limits
    const { stdout } = await server.shell('nproc; grep MemTotal /proc/meminfo; id -un; pwd', { sessionId })
    const [count, memory, user, directory] = stdout.split('\n')
    assert.equal(Number(count), Math.ceil(cpus))
    assert.equal(Number(/\d+/.exec(memory)![0]) * 1024, memoryBytes)
    assert.equal(document.environment.user, `${user} (uid 1000), with sudo; the working directory is ${directory}`)
  })

  test('lists tools that exist, and none that the image lacks', async () => {
    const tools: string[] = Object.values(document.environment.tools as Record<string, string[]>).flat()
    assert.ok(tools.includes('python3') && tools.includes('git'))
    assert.ok(!tools.includes('bun') && !tools.includes('ffmpeg'), 'the small image has neither')
    const missing = await server.shell(
      tools
        .map((tool) => `command -v ${tool} >/dev/null || dpkg-query -W ${tool} >/dev/null || echo ${tool}`)
        .join('\n'),
      { sessionId: newSession() },
    )
    assert.equal(missing.stdout, '')
    assert.equal(document.environment.javascript, 'node')
    assert.equal(document.environment.pip, undefined)
    assert.deepEqual(Object.keys(document.tips.shellTools.examples), ['git'])
  })

  test("has the top-level fields of PaperPod's document, except those of missing features", () => {
    const fields = [
      ...['name', 'schemaVersion', 'apiVersion', 'description', 'baseUrl', 'previewUrlDomain', 'quickStart'],
      ...['agentStartPrompt', 'skills', 'environment', 'tips', 'recommended', 'billing', 'authentication', 'cli'],
      ...['endpoints', 'discovery', 'links', 'security'],
    ]
    assert.deepEqual(
      fields.filter((field) => document[field] === undefined),
      [],
    )
  })

  test('begins with commands that need no header, and says how to install the command line', () => {
    assert.doesNotMatch(JSON.stringify(document.quickStart), /content-type/i)
    for (const { install } of [document.cli, document.recommended.cli, document.tips.cli])
      assert.match(install, /npm install -g \..*npm pack/)
  })

  test('names exactly the commands of the command line', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [cliProgram, 'help', '--json'])
    const { commands } = JSON.parse(stdout) as { commands: { name: string }[] }
    const lines = Object.entries<string>(document.cli.commands)
    assert.deepEqual(
      lines.map(([, line]) => /^carrel (\S+)/.exec(line)![1]!).toSorted(),
      commands.map(({ name }) => name).toSorted(),
    )
    // In the document, the key of mem:write is memWrite.
    for (const [key, line] of lines)
      assert.equal(key.toLowerCase(), /^carrel (\S+)/.exec(line)![1]!.replace(/[:-]/, ''), line)
  })

  test('contains only working links', async () => {
    for (const link of Object.values<string>(document.links)) assert.equal((await fetch(link)).status, 200, link)
  })

  test('names the preview domain under which /expose answers', async () => {
    const sessionId = newSession()
    const { body } = await server.post('/expose', { port: 8080, sessionId })
    assert.ok(new URL(body.url).hostname.endsWith(`.${document.previewUrlDomain}`))
    const id = new URL(body.url).hostname.split('-')[1]
    const named = document.tips.expose.urlFormat.split(' ')[0].replaceAll('{port}', '8080').replace('{id}', id)
    assert.equal(new URL(body.url).hostname, named)
  })

  test("describes every route of PaperPod's document that the sources serve", () => {
    const sources = new URL('../../src/apis/paperpod/', import.meta.url)
    const served = readdirSync(sources)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .flatMap((name) => [
        ...readFileSync(new URL(name, sources), 'utf8').matchAll(/app\.(get|post|put|delete)\(\s*'([^']+)'/g),
      ])
      .map(([, method, path]) => `${method!.toUpperCase()} ${path}`)
    assert.deepEqual(
      served.filter((route) => !document.endpoints[route]),
      [],
    )
  })
})

describe('GET /health', () => {
  let server: TestServer
  before(async () => {
    server = await TestServer.start()
  })
  after(() => server.stop())

  test('answers { status, timestamp } without a token', async () => {
    const { status, body } = await server.call('GET', '/health', undefined, { token: null })
    assert.equal(status, 200)
    assert.equal(body.status, 'ok')
    assert.equal(new Date(body.timestamp).toISOString(), body.timestamp)
    assert.ok(Math.abs(Date.now() - Date.parse(body.timestamp)) < 60_000)
  })
})
