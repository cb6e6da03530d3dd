#!/usr/bin/env node
/** `npm run check`: types, lint, format and unused code. `npm run check -- --fix` first repairs what it can. */
import { duration } from './lib/duration.js'
import { fixGates, runGates } from './lib/testing/gates.js'
import { ensureNpmPackages } from './lib/packages/npm-packages.js'
import { reportingSetupFailure } from './lib/setup-failure.js'

await reportingSetupFailure(async () => {
  await ensureNpmPackages()
  if (process.argv.includes('--fix')) await fixGates()
  const results = await runGates(({ name, passed, durationMs }) => {
    console.log(`${passed ? '✔' : '✖'} ${name.padEnd(8)} ${duration(durationMs)}`)
  })
  const failed = results.filter(({ passed }) => !passed)
  for (const { name, output } of failed) console.log(`\n── ${name} ──\n${output}`)
  if (failed.length > 0) process.exitCode = 1
})
