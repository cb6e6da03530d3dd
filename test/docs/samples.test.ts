import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { surfaces } from '../../src/apis/surfaces.ts'
import { addExampleDataset, createExampleComputer, needsSecret, needsState } from '../support/call-example.ts'
import { TestServer } from '../support/server.ts'

interface Sample {
  surface: string
  route: string
  code: Record<string, string>
}

/** Samples that a test cannot run: a stream without an end, and mail, of which a mailbox gets a limited number. */
const excluded = new Set([
  ...needsSecret,
  ...needsState,
  'POST /watch',
  'POST /v1/workspaces/{workspaceId}/invitations',
  'POST /login',
])

const run = promisify(execFile)
const hasModule = (name: string) => spawnSync('python3', ['-c', `import ${name}`]).status === 0

/** Returns what a reader sees of a part of a page. */
const textOf = (html: string) =>
  html.replaceAll(/<[^>]+>/g, '').replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))

describe('the samples of /docs', { timeout: 300_000 }, () => {
  let server: TestServer
  let folder: string
  let samples: Sample[]

  before(async () => {
    server = await TestServer.start({ env: { CARREL_PLAY_MONEY: 'on' } })
    await addExampleDataset(server)
    folder = mkdtempSync(join(tmpdir(), 'carrel-samples-'))
    samples = []
    for (const { name } of surfaces) {
      const page = (await server.call('GET', `/docs/${name}`, undefined, { token: null })).body as string
      for (const section of page.split('<section class="operation"').slice(1)) {
        const [, method, path] = /<span class="method \w+">(\w+)<\/span>\s*<code>([^<]+)<\/code>/.exec(section)!
        const blocks = section.matchAll(/data-language="(\w+)"><code>(.*?)<\/code>/gs)
        const code = Object.fromEntries([...blocks].map(([, language, text]) => [language, textOf(text!)]))
        samples.push({ surface: name, route: `${method === 'WS' ? 'GET' : method} ${path}`, code })
      }
    }
  })
  after(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Returns the samples that can be run, in the order of the pages. */
  const runnable = (language: string) =>
    samples.filter(({ route, code }) => !excluded.has(route) && code[language] !== undefined)

  const start = async (file: string, argv: string[]) => {
    const token = await server.newAccount()
    await createExampleComputer(server, token)
    const env = { PATH: process.env.PATH, HOME: folder, CARREL_TOKEN: token }
    const { stdout } = await run(file, argv, { cwd: folder, env, timeout: 120_000, maxBuffer: 64 * 1024 * 1024 })
    return stdout
  }

  /** Asserts that each sample printed something, and no error. */
  const assertAnswers = (printed: string, ran: Sample[]) => {
    const answers = printed.split(/^=== .*$\n?/m).slice(1)
    assert.equal(answers.length, ran.length)
    for (const [index, answer] of answers.entries()) {
      const { surface, route } = ran[index]!
      if (!/download|PUT/.test(route)) assert.notEqual(answer.trim(), '', `${surface}: ${route}`)
      // Documents contain examples of errors.
      if (answer.length < 3_000) assert.doesNotMatch(answer, /\berror["']?: ?["']/, `${surface}: ${route}`)
    }
  }

  test('exist in three languages for every route, and name the server by the address of the page', () => {
    assert.ok(samples.length > 80)
    for (const { surface, route, code } of samples) {
      assert.deepEqual(Object.keys(code), ['shell', 'typescript', 'python'], `${surface}: ${route}`)
      for (const text of Object.values(code)) assert.ok(text.includes(server.url.replace(/^http/, '')), text)
    }
  })

  test('run in a shell', async () => {
    const ran = runnable('shell').filter(({ code }) => !code['shell']!.includes('wscat'))
    const script = ran.map(({ route, code }) => `echo '=== ${route}'\n${code['shell']}\necho\n`).join('')
    assertAnswers(await start('sh', ['-c', script]), ran)
  })

  test('run in TypeScript', async () => {
    const ran = runnable('typescript')
    const names = ran.map(({ route, code }, index) => {
      const isSocket = code['typescript']!.includes('new WebSocket')
      const end = isSocket ? '\nawait new Promise((resolve) => socket.addEventListener("close", resolve))' : ''
      writeFileSync(join(folder, `sample-${index}.mts`), `console.log('=== ${route}')\n${code['typescript']}${end}\n`)
      return `sample-${index}.mts`
    })
    const all = `for (const name of ${JSON.stringify(names)}) await import('${folder}/' + name)`
    assertAnswers(await start(process.execPath, ['--input-type=module', '-e', all]), ran)
  })

  test('run in Python', { skip: !hasModule('requests') && 'requests is not installed' }, async () => {
    const hasSockets = hasModule('websockets')
    const isRunnable = ({ code }: Sample) => hasSockets || !code['python']!.includes('websockets')
    const ran = runnable('python').filter(isRunnable)
    const codes = ran.map(({ route, code }) => [`=== ${route}`, code['python']])
    writeFileSync(join(folder, 'samples.json'), JSON.stringify(codes))
    const all = 'import json\nfor title, code in json.load(open("samples.json")):\n    print(title)\n    exec(code, {})'
    assertAnswers(await start('python3', ['-c', all]), ran)
  })
})
