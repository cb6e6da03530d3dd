import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { fakeOperation } from './testing/fake-computers.ts'
import { FakeServer } from './testing/fake-server.ts'

const run = promisify(execFile)
const readme = await readFile(new URL('README.md', import.meta.url), 'utf8')
const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code)
const expected = [
  /^42\n 0\n$/,
  // The two channels arrive in any order.
  /^(?=.*^stdout: one$)(?=.*^stderr: two$).*\nexit code 0\n$/ms,
  /^a\nb\n0\n$/,
  /^0\n0\.5\nbuild running\n$/,
  /^text 3\n$/,
  /^What to do about NOT_FOUND\.\n$/,
]

test('the examples of the README run and print what they promise', async () => {
  await using server = await FakeServer.start()
  assert.equal(examples.length, expected.length)
  for (const progress of [0, 0.5]) server.operationStates.push(fakeOperation({ progress }))
  server.operationStates.push(fakeOperation({ status: 'succeeded' }))
  for (const [index, code] of examples.entries()) {
    const path = join(server.root, `example-${index}.ts`)
    await writeFile(path, code.replaceAll("from 'carrel'", `from '${import.meta.resolve('carrel')}'`))
    const env = { ...process.env, CARREL_URL: server.url, CARREL_TOKEN: server.token }
    const { stdout } = await run(process.execPath, [path], { env })
    assert.match(stdout, expected[index]!)
  }
})
