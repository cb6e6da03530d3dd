import { parseArgs } from 'node:util'
import { CarrelError } from '../errors.ts'
import { review } from './review.ts'
import { verify } from './verify.ts'

/**
 * The program behind `carrel ledger`, which has checked the command line: `verify`, `review`, or `review <payment>`,
 * which credits the payment with `--cents` and dismisses it without. Exits with 2 when the database could not be read.
 */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { json: { type: 'boolean', default: false }, cents: { type: 'string' } },
    allowPositionals: true,
  })
  const [what, paymentId] = positionals
  const asJson = values.json
  if (what === 'verify') return verify({ asJson })
  return review({ asJson, paymentId, cents: values.cents === undefined ? undefined : Number(values.cents) })
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  return error instanceof CarrelError ? 1 : 2
})
