import { parseArgs } from 'node:util'
import { copy } from './copy.ts'

/** The program behind `carrel database`, which has checked the command line. Exits with 2 when nothing was done. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } }, allowPositionals: true })
  return copy({ asJson: values.json })
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  return 2
})
