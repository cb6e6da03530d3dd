import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { ImportGraph } from './import-graph.js'

const root = mkdtempSync(join(tmpdir(), 'carrel-graph-'))
after(() => rmSync(root, { recursive: true }))

/** @type {Record<string, string>} */
const files = {
  'package.json': '{}',
  'docs/PAGE.md': '',
  'images/base/setup.sh': '',
  'src/main.ts': "import { a } from './a.ts'\nimport './assets.ts'",
  'src/a.ts': "import { b } from './b.ts'\nexport const a = b",
  'src/b.ts': "export const b = 'b'\nconst root = new URL('..', import.meta.url)",
  'src/c.ts': "import type { a } from './a.ts'\n// like './main.ts'\nexport const c = await import('./later.ts')",
  'src/later.ts': "const images = new URL('../images/', import.meta.url)",
  'src/assets.ts': 'const file = (name: string) => new URL(`assets/${name}`, import.meta.url)',
  'src/assets/page.css': '',
  'src/c.test.ts': "import { c } from './c.ts'",
  'test/server.test.ts': "const program = new URL('../src/main.ts', import.meta.url)",
  'test/script.test.ts': "run('bin/tool.js')",
  'bin/tool.js': '',
  'test/docs.test.ts': "const root = new URL('../', import.meta.url)\nread(new URL('docs/PAGE.md', root))",
  'node_modules/x/index.js': "import '../../src/a.ts'",
}
for (const [file, text] of Object.entries(files)) {
  mkdirSync(join(root, dirname(file)), { recursive: true })
  writeFileSync(join(root, file), text)
}
const graph = new ImportGraph(root)
// It reads the whole project.
const always = 'test/docs.test.ts'

for (const [what, changed, tests] of /** @type {[string, string, string[]][]} */ ([
  ['a module, through those that import it and the program that a test starts', 'src/b.ts', ['test/server.test.ts']],
  ['a module that is imported later', 'src/later.ts', ['src/c.test.ts']],
  ['a folder that a module names', 'images/base/setup.sh', ['src/c.test.ts']],
  ['a folder whose files are named by parts', 'src/assets/page.css', ['test/server.test.ts']],
  ['a file that is named from the root', 'bin/tool.js', ['test/script.test.ts']],
  ['a test itself', 'src/c.test.ts', ['src/c.test.ts']],
  [
    'nothing more where a module is imported for its types or named by a comment',
    'src/main.ts',
    ['test/server.test.ts'],
  ],
  ['no more than the test that reads all', 'docs/PAGE.md', []],
  ['nothing of what is not there any longer', 'src/gone.ts', []],
])) {
  test(`a change reaches ${what}`, () => {
    const reached = [...graph.reaching([changed])].filter((file) => file.includes('.test.'))
    assert.deepEqual(reached.toSorted(), [...(files[changed] === undefined ? [] : [always]), ...tests].toSorted())
  })
}

test('no change reaches nothing, and one of what all programs run with reaches everything', () => {
  assert.equal(graph.reaching([]).size, 0)
  const all = Object.keys(files).filter((file) => !file.startsWith('node_modules'))
  assert.deepEqual([...graph.reaching(['package.json'])].toSorted(), all.toSorted())
})
