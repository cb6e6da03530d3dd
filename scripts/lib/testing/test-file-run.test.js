import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, test } from 'node:test'
import { project } from '../project.js'
import { runProgram } from '../run-program.js'

const directory = mkdtempSync(join(tmpdir(), 'carrel-test-files-'))
after(() => rmSync(directory, { recursive: true }))

/**
 * Runs a test file of this text. Not in this process, as node:test runs no files from within a test.
 * @param {string} text
 * @returns {Promise<import('./test-report.js').FileResult>}
 */
async function runText(text, timeoutMs = 60_000) {
  const path = join(directory, 'a.test.mjs')
  writeFileSync(path, `import { test, describe } from 'node:test'\n${text}`)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const fixture = join(import.meta.dirname, 'fixtures/run-test-file.js')
  const { output } = await runProgram([project.node, fixture, relative(project.root, path), String(timeoutMs)], { env })
  return JSON.parse(output)
}

test('every test counts once, under the names around it', async () => {
  const { tests } = await runText(`
    describe('a', () => { test('passes', () => {}); test('fails', () => { throw new Error('no') }) })
    test.skip('skipped', () => {})`)
  assert.deepEqual(
    tests.map(({ name, outcome }) => [name, outcome]),
    [
      ['a › passes', 'passed'],
      ['a › fails', 'failed'],
      ['skipped', 'skipped'],
    ],
  )
})

for (const [what, text] of Object.entries({
  'cannot be parsed': 'test(',
  'throws outside of a test': "test('a', () => {}); throw new Error('no')",
  'holds no test': '',
  'leaves in the middle with exit code 0': "test('a', () => {}); test('b', () => process.exit(0)); test('c', () => {})",
})) {
  test(`a file that ${what} has failed`, async () => {
    const { tests } = await runText(text)
    assert.equal(tests.at(-1)?.outcome, 'failed')
  })
}

test('tests that did not run because of a hook say what failed in it', async () => {
  const { tests } = await runText(`
    import { before } from 'node:test'
    describe('a', () => { before(() => { throw new Error('no room') }); test('b', () => {}) })`)
  assert.deepEqual(
    tests.map(({ name, outcome, error }) => [name, outcome, error]),
    [['a › b', 'failed', 'no room']],
  )
})

test('a file that is ended tells what it was running', async () => {
  const { tests } = await runText("test('for ever', () => new Promise((done) => setTimeout(done, 1e6)))", 1000)
  assert.deepEqual(
    tests.map(({ outcome, notes }) => [outcome, notes]),
    [['failed', ['was running: for ever']]],
  )
})
