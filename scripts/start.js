#!/usr/bin/env node
/**
 * `npm start`: makes this host ready, then lets the server take this process's place. `--help` tells so instead. Runs on
 * any Node from 20 on.
 */
import { becomeProjectScript } from './lib/project-node.js'
import { setUp } from './lib/set-up.js'
import { reportingSetupFailure } from './lib/setup-failure.js'
import { startHelp } from './lib/start-help.js'

const args = process.argv.slice(2)
const unknown = args.find((arg) => arg !== '--help' && arg !== '-h')

if (unknown !== undefined) {
  process.stderr.write(`Cannot use "${unknown}": npm start takes -- --help alone; see docs/SETTINGS.md for settings.\n`)
  process.exitCode = 2
} else if (args.length > 0) {
  process.stdout.write(startHelp)
} else {
  await reportingSetupFailure(async () => {
    await setUp({ listens: true })
    await becomeProjectScript('src/main.ts', [])
  })
}
