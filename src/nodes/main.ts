import { parseArgs } from 'node:util'
import { CarrelError } from '../errors.ts'
import { printNodes } from './print-nodes.ts'
import { remove } from './remove.ts'

/**
 * The program behind `carrel nodes`, which has checked the command line: `list`, or `remove <node>`. Exits with 2 when the
 * database could not be read.
 */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  const [what, nodeId = ''] = positionals
  await (what === 'list' ? printNodes({ asJson: values.json }) : remove(nodeId, { asJson: values.json }))
}

await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = error instanceof CarrelError ? 1 : 2
})
