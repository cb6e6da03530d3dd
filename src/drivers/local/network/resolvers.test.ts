import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { findResolvers } from './resolvers.ts'

function files(t: TestContext, ...contents: string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'carrel-resolvers-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return contents.map((content, index) => {
    const file = join(directory, String(index))
    writeFileSync(file, content)
    return file
  })
}

test("the host's own name servers are used, at most three", (t) => {
  const content =
    '# nameserver 9.9.9.9\nsearch example.com\nnameserver 10.0.0.2\nnameserver\t10.0.0.3\n nameserver 10.0.0.9\n'
  assert.deepEqual(findResolvers(files(t, content)), ['10.0.0.2', '10.0.0.3'])
  const many = [1, 2, 3, 4].map((number) => `nameserver 10.0.0.${number}`).join('\n')
  assert.deepEqual(findResolvers(files(t, many)), ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
})

test('loopback, IPv6 and malformed addresses are skipped, in favour of the next file or public resolvers', (t) => {
  const useless = 'nameserver 127.0.0.53\nnameserver ::1\nnameserver 2001:db8::1\nnameserver example\n'
  assert.deepEqual(findResolvers(files(t, useless, 'nameserver 192.168.1.1\n')), ['192.168.1.1'])
  assert.deepEqual(findResolvers(files(t, useless, '')), ['1.1.1.1', '9.9.9.9'])
  assert.deepEqual(findResolvers(['/nothing']), ['1.1.1.1', '9.9.9.9'])
})
