import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { FakeServer } from '../../sdk/testing/fake-server.ts'
import { CliHome } from './testing/run-cli.ts'
import type { CliOptions } from './testing/run-cli.ts'

/** The token that a call with this environment sends. */
async function tokenSent(server: FakeServer, home: CliHome, options: CliOptions, args: string[] = []) {
  server.requests.length = 0
  await home.run(['ps', ...args], options)
  return server.requests[0]?.headers['authorization']?.toString().replace('Bearer ', '')
}

function save(home: CliHome, file: string, content: object | string) {
  const path = join(home.path, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
}

test("options take precedence over variables, these over files, and these over the owner's token", async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  const url = server.url
  save(home, 'data/owner.token', 'owner\n')
  assert.equal(await tokenSent(server, home, { env: { CARREL_URL: url } }), 'owner')
  save(home, '.paperpod/config.json', { token: 'paperpod-file' })
  assert.equal(await tokenSent(server, home, { env: { CARREL_URL: url } }), 'paperpod-file')
  save(home, '.carrel/config.json', { token: 'carrel-file' })
  assert.equal(await tokenSent(server, home, { env: { CARREL_URL: url } }), 'carrel-file')
  assert.equal(await tokenSent(server, home, { env: { PAPERPOD_URL: url }, name: 'ppod' }), 'paperpod-file')
  const env = { CARREL_URL: url, PAPERPOD_TOKEN: 'paperpod-variable' }
  assert.equal(await tokenSent(server, home, { env }), 'paperpod-variable')
  assert.equal(await tokenSent(server, home, { env: { ...env, CARREL_TOKEN: 'carrel-variable' } }), 'carrel-variable')
  const both = { env: { ...env, CARREL_TOKEN: 'carrel-variable' }, name: 'ppod' } as const
  assert.equal(await tokenSent(server, home, both), 'paperpod-variable')
  assert.equal(await tokenSent(server, home, both, ['--token', 'option']), 'option')
})

test('a saved address is used, and an option takes precedence over it', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  save(home, '.carrel/config.json', { token: server.token, url: server.url })
  assert.equal((await home.run(['ps'])).exitCode, 0)
  save(home, '.carrel/config.json', { token: server.token, url: 'http://127.0.0.1:1' })
  assert.equal((await home.run(['ps', '--token', server.token, '--url', `${server.url}/`])).exitCode, 0)
})

test('a token that was saved for one server is not sent to another', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  save(home, '.carrel/config.json', { token: 'secret', url: 'https://elsewhere.test' })
  assert.equal(await tokenSent(server, home, { env: { CARREL_URL: server.url } }), undefined)
  assert.equal(server.requests.length, 1)
})

test('a file with invalid JSON is reported, unless nothing of it is needed', async () => {
  await using server = await FakeServer.start()
  using home = new CliHome()
  save(home, '.carrel/config.json', '{"token": ')
  const { exitCode, stderr } = await home.run(['ps'], { env: { CARREL_URL: server.url } })
  assert.equal(exitCode, 1)
  assert.match(stderr, /Cannot use "~\/\.carrel\/config\.json": it does not hold a JSON object/)
  assert.equal((await home.run(['ps'], { server })).exitCode, 0)
})
