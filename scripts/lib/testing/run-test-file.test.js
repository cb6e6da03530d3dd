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
 * @returns {Promise<import('./run-test-file.js').FileResult>}
 */
async function runText(text) {
  const path = join(directory, 'a.test.mjs')
  writeFileSync(path, `import { after, before, describe, test } from 'node:test'\n${text}`)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const fixture = join(import.meta.dirname, 'fixtures/run-test-file.js')
  const { output } = await runProgram([project.node, fixture, relative(project.root, path)], { env })
  return JSON.parse(output)
}

test('every test counts once, and those that failed have the names around them', async () => {
  const result = await runText(`
    describe('a', () => { test('passes', () => {}); test('fails', () => { throw new Error('no') }) })
    describe('b', () => test('skipped', (t) => t.skip('not here')))
    test.todo('to do', () => { throw new Error('not yet') })`)
  const failures = [{ names: ['a › fails'], error: 'no' }]
  assert.deepEqual(result, {
    passed: 1,
    failed: 1,
    skipped: 2,
    failures,
    skips: [{ name: 'b › skipped', reason: 'not here' }],
  })
})

for (const [what, text] of Object.entries({
  'cannot be parsed': 'test(',
  'throws outside of a test': "test('a', () => {}); throw new Error('no')",
  'holds no test': '',
  'leaves in the middle with exit code 0': "test('a', () => {}); test('b', () => process.exit(0)); test('c', () => {})",
  'leaves at the end with exit code 0': "after(() => process.exit(0)); test('a', () => {})",
})) {
  test(`a file that ${what} has failed`, async () => {
    const { failed, failures } = await runText(text)
    assert.deepEqual([failed, failures.length], [1, 1])
  })
}

test('where a hook failed it is named, not the tests that did not run because of it', async () => {
  const { failed, failures } = await runText(`
    describe('a', () => { before(() => { throw new Error('no room') }); test('b', () => {}); test('c', () => {}) })`)
  assert.deepEqual([failed, failures], [2, [{ names: ['a'], error: 'no room' }]])
})

test('a hook that fails after the tests passed has failed', async () => {
  const { passed, failed, failures } = await runText(`
    describe('a', () => { after(() => { throw new Error('left open') }); test('b', () => {}) })`)
  assert.deepEqual([passed, failed, failures], [1, 1, [{ names: ['a'], error: 'left open' }]])
})

test('a file that is ended names what it was running', async () => {
  const { failed, failures } = await runText(`
    test('done', () => {})
    test('for ever', () => new Promise(() => setInterval(() => console.log('end me'), 20)))`)
  assert.deepEqual([failed, failures], [1, [{ names: ['for ever'], error: 'Ended.' }]])
})
