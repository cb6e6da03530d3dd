#!/usr/bin/env node
/** `npm start`: makes this host ready, then lets the server take this process's place. Runs on any Node from 20 on. */
import { becomeProjectScript } from './lib/project-node.js'
import { setUp } from './lib/set-up.js'
import { reportingSetupFailure } from './lib/setup-failure.js'

await reportingSetupFailure(async () => {
  await setUp({ listens: true })
  await becomeProjectScript('src/main.ts', process.argv.slice(2))
})
