import { parseArgs } from 'node:util'
import { authenticated } from './cases/authenticated.ts'
import { coldStart } from './cases/cold-start.ts'
import { burstOfCreates } from './cases/burst.ts'
import { computerCreate } from './cases/computer-create.ts'
import { computerExec } from './cases/computer-exec.ts'
import { desktop } from './cases/desktop.ts'
import { execute } from './cases/execute.ts'
import { executeParallel } from './cases/execute-parallel.ts'
import { idleComputers } from './cases/idle-computers.ts'
import { interpret } from './cases/interpret.ts'
import { ledger, ledgerPostgres } from './cases/ledger.ts'
import { preview } from './cases/preview.ts'
import { idleSockets } from './cases/idle-sockets.ts'
import { sessions } from './cases/sessions.ts'
import { snapshot } from './cases/snapshot.ts'
import { ssh } from './cases/ssh.ts'
import { socketExec } from './cases/socket-exec.ts'
import { socketStream } from './cases/socket-stream.ts'
import { restart } from './cases/restart.ts'
import { stoppedFiles } from './cases/stopped-files.ts'
import { transfer } from './cases/transfer.ts'
import { warmStart } from './cases/warm-start.ts'
import { clearComputers, clearHost } from './support/clear.ts'
import { hostLine } from './support/host.ts'
import { isMet, type Outcome } from './support/measurement.ts'
import { markdownTable, textTable } from './support/report.ts'
import { BenchServer } from './support/server.ts'
import { benchEnv } from './support/settings.ts'

const cases = [
  coldStart,
  warmStart,
  execute,
  executeParallel,
  interpret,
  burstOfCreates,
  idleComputers,
  computerCreate,
  computerExec,
  sessions,
  desktop,
  stoppedFiles,
  transfer,
  preview,
  restart,
  snapshot,
  socketExec,
  socketStream,
  ssh,
  idleSockets,
  ledger,
  ledgerPostgres,
  authenticated,
]

const usage = `Usage: npm run bench [-- [--quick] [--json | --markdown] [--computers N] [name…]]

Measures Carrel side by side with the programs that it builds on. Without names, all cases run:
${cases.map(({ name, about }) => `  ${name.padEnd(18)}${about}`).join('\n')}`

/** Runs the cases one after the other, each with an empty data directory, and prints one table. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      computers: { type: 'string', default: '300' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const computers = Number(values.computers)
  const unknown = positionals.filter((name) => !cases.some((candidate) => candidate.name === name))
  if (values.help || unknown.length > 0 || !(computers >= 10 && computers <= 900)) {
    process.stderr.write(`${unknown.length > 0 ? `There is no case "${unknown[0]}".\n` : ''}${usage}\n`)
    process.exitCode = values.help ? 0 : 2
    return
  }
  const chosen = cases.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  const outcomes: Outcome[] = []
  const host = `${hostLine()}; image ${benchEnv.CARREL_IMAGE}`
  // The first start builds the image if there is none.
  await (await BenchServer.start()).stop()
  try {
    for (const { name, run } of chosen) {
      process.stderr.write(`${name} …\n`)
      await clearComputers()
      try {
        outcomes.push(...(await run({ quick: values.quick, computers })))
      } catch (error) {
        process.exitCode = 1
        outcomes.push({ work: name, why: `it failed: ${error instanceof Error ? error.message : String(error)}` })
      }
    }
  } finally {
    await clearComputers()
    if (!values.keep) await clearHost()
  }
  process.stdout.write(
    `${values.json ? json(host, outcomes) : values.markdown ? markdown(host, outcomes) : text(host, outcomes)}\n`,
  )
}

function json(host: string, outcomes: Outcome[]): string {
  const withGoals = outcomes.map((outcome) => ('carrel' in outcome ? { ...outcome, met: isMet(outcome) } : outcome))
  return JSON.stringify({ host, at: new Date().toISOString(), outcomes: withGoals }, undefined, 2)
}

function markdown(host: string, outcomes: Outcome[]): string {
  return `${markdownTable(outcomes)}\n\n${host}`
}

function text(host: string, outcomes: Outcome[]): string {
  return `\n${textTable(outcomes)}\n\n${host}`
}

await main()
