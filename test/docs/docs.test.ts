import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readPage, referencePages } from './reference.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

test('generated pages match the code (npm run docs writes them)', async () => {
  for (const [path, content] of Object.entries(await referencePages())) {
    const kept = await readPage(path)
    if (path.endsWith('.json')) assert.deepEqual(JSON.parse(kept), JSON.parse(content), path)
    else assert.equal(kept, content, path)
  }
})

test('the documented settings are exactly those that the server reads', () => {
  const read = [...readFileSync(`${root}src/config/settings.ts`, 'utf8').matchAll(/CARREL_[A-Z_]+/g)].map(
    ([name]) => name,
  )
  const table = readFileSync(`${root}docs/SETTINGS.md`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `CARREL_'))
  const documented = table.map((line) => /CARREL_[A-Z_]+/.exec(line)![0])
  assert.deepEqual([...new Set(documented)].toSorted(), [...new Set(read)].toSorted())
})
