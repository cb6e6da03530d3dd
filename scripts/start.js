#!/usr/bin/env node
/**
 * `npm start`: prepares this host, then replaces this process by the server. `--help` explains that instead. Runs on
 * any Node from 20 on.
 */
import { becomeProjectScript } from './lib/project-node.js'
import { prepareHost } from './lib/prepare-host.js'
import { reportingSetupFailure } from './lib/setup-failure.js'
import { startHelp } from './lib/start-help.js'

const args = process.argv.slice(2)
const unknown = args.find((arg) => arg !== '--help' && arg !== '-h')

if (unknown !== undefined) {
  process.stderr.write(
    `Cannot use "${unknown}": npm start takes only -- --help; docs/SETTINGS.md lists the settings.\n`,
  )
  process.exitCode = 2
} else if (args.length > 0) {
  process.stdout.write(startHelp)
} else {
  await reportingSetupFailure(async () => {
    await prepareHost({ listens: true })
    await becomeProjectScript('src/main.ts', [])
  })
}
