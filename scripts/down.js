#!/usr/bin/env node
/**
 * `npm run down`: ends the server of a data directory (CARREL_DATA) and all of its computers, and removes what they
 * have on this host. The data stays for the next `npm start`. `--delete-data` removes the data too, after a
 * confirmation that `--yes` gives in advance. Runs on any Node from 20 on, without packages.
 */
import { DataDirectory } from './lib/down/data-directory.js'
import { confirmDeletion, deleteData } from './lib/down/delete-data.js'
import { endComputers } from './lib/down/end-computers.js'
import { endHelpers } from './lib/down/end-helpers.js'
import { endServer } from './lib/down/end-server.js'
import { removeTraces } from './lib/down/remove-traces.js'
import { ensureRoot } from './lib/host/root.js'
import { readSettings } from './lib/settings.js'
import { reportingSetupFailure, SetupFailure } from './lib/setup-failure.js'

const known = new Set(['--delete-data', '--yes'])

await reportingSetupFailure(async () => {
  const args = process.argv.slice(2)
  const unknown = args.find((arg) => !known.has(arg))
  if (unknown !== undefined)
    throw new SetupFailure(`Cannot use "${unknown}": npm run down takes -- --delete-data, with or without --yes.`)
  await ensureRoot()
  const data = new DataDirectory(readSettings().dataDirectory)
  if (args.includes('--delete-data')) await confirmDeletion(data, args.includes('--yes'))
  await endServer(data)
  const computers = await endComputers(data)
  await endHelpers(data)
  await removeTraces(data)
  console.log(
    `Ended everything of ${data.path} that was running: ${computers} ${computers === 1 ? 'computer' : 'computers'}.`,
  )
  if (args.includes('--delete-data')) {
    deleteData(data)
    console.log(`Deleted ${data.path}. Packages that npm start installed are kept.`)
  }
})
