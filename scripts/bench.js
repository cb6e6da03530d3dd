#!/usr/bin/env node
/** `npm run bench`: prepares this host, then measures. */
import { becomeProjectScript } from './lib/project-node.js'
import { prepareHost } from './lib/prepare-host.js'
import { reportingSetupFailure } from './lib/setup-failure.js'

await reportingSetupFailure(async () => {
  await prepareHost({ listens: false })
  await becomeProjectScript('bench/main.ts', process.argv.slice(2))
})
