import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

test('only src/db starts transactions and takes connections: everything else calls transaction()', () => {
  const root = new URL('../../', import.meta.url).pathname
  const files = globSync('src/**/*.ts', { cwd: root }).filter(
    (file) => !file.startsWith('src/db/') && !file.endsWith('.test.ts'),
  )
  assert.ok(files.length > 500)
  const opens = /\.(?:transaction|startTransaction|connection)\(\)|PRAGMA |sql`\s*(?:begin|commit)/i
  const others = files.filter((file) => opens.test(readFileSync(root + file, 'utf8')))
  assert.deepEqual(others, [])
})
