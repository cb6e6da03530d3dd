#!/usr/bin/env node
/** `npm run bench`: prepares this host, then measures. */
import { becomeProjectScript } from './lib/project-node.js'
import { setUp } from './lib/set-up.js'
import { reportingSetupFailure } from './lib/setup-failure.js'

await reportingSetupFailure(async () => {
  await setUp({ listens: false })
  await becomeProjectScript('bench/main.ts', process.argv.slice(2))
})
