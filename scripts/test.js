#!/usr/bin/env node
/**
 * `npm test`: makes this host ready, then runs the gates and every test. `npm test -- src/engine` runs some files alone,
 * `npm test -- --changed` the gates and the tests that the change since main can reach.
 * The last line is `N passed, N failed`, with `, N skipped` where there were any.
 */
import { parseArgs } from 'node:util'
import { becomeProjectScript } from './lib/project-node.js'
import { project } from './lib/project.js'
import { prepareHost } from './lib/prepare-host.js'
import { reportingSetupFailure } from './lib/setup-failure.js'

/** Under the twenty minutes that a run may take, so that there is time to name what failed. */
const totalMs = 19 * 60_000

process.env.CARREL_DATA ||= '/var/lib/carrel-test'
process.env.CARREL_TEST_STARTED_MS ||= String(Date.now())

let ready = false
await reportingSetupFailure(async () => {
  await prepareHost({ listens: false, tests: true })
  ready = true
})
if (!ready) console.log('0 passed, 1 failed')
else if (Number.parseInt(process.versions.node, 10) < project.nodeMajor) {
  await becomeProjectScript('scripts/test.js', process.argv.slice(2))
} else {
  await reportingSetupFailure(runTests)
  // It ends the process unless it failed.
  console.log('0 passed, 1 failed')
}

async function runTests() {
  const { findTestFiles } = await import('./lib/testing/test-files.js')
  const { TestRun } = await import('./lib/testing/test-run.js')
  const options = /** @type {const} */ ({ changed: { type: 'boolean' } })
  const { values, positionals: wanted } = parseArgs({ options, allowPositionals: true })
  const testRun = new TestRun()
  const leftMs = Number(process.env.CARREL_TEST_STARTED_MS) + totalMs - Date.now()
  delete process.env.CARREL_TEST_STARTED_MS
  setTimeout(() => testRun.end(`The tests took more than ${totalMs / 60_000} minutes.`), leftMs).unref()
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => testRun.end(`The tests were ended by ${signal}.`))
  if (wanted.length === 0) await testRun.runGates()
  await testRun.runFiles(findTestFiles(wanted, values))
  console.log(testRun.results.text)
  process.exit(testRun.results.succeeded ? 0 : 1)
}
