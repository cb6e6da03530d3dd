import { centsOf } from '../cents.ts'
import { runOwnProgram } from '../run-own-program.ts'
import { UsageError } from '../usage-error.ts'
import type { Values, Verb } from '../verb.ts'

export const ledger: Verb = {
  usage: 'ledger [options] verify | review [payment]',
  description: `
Works on the ledger in the data directory of the server on this machine (CARREL_DATA, else /var/lib/carrel), which may
be running. "verify" checks that every transaction sums to zero, every balance is the sum of its entries, and every
usage interval was charged once; it exits with 1 when something is wrong. "review" lists the payments that could not be
credited automatically, and settles one of them, once.`,
  examples: [
    ['ledger verify', 'checks the ledger'],
    ['ledger review', 'payments that wait for a decision'],
  ],
  options: {
    credit: { type: 'string', value: '<dollars>', help: 'Credit this amount for the payment, such as 20 or 7.50' },
    dismiss: { type: 'boolean', help: 'The payment was settled elsewhere, such as by a refund' },
  },
  shared: ['json'],
  actions: ['verify', 'review'],
  operands: [1, 2],
  async run({ program, values, operands: [what = '', payment] }) {
    return runOwnProgram('ledger/main.ts', argumentsOf(what, payment, values), program.env)
  },
}

function argumentsOf(what: string, payment: string | undefined, values: Values): string[] {
  const { credit, dismiss, json } = values as { credit?: string; dismiss?: boolean; json?: boolean }
  const isSettled = credit !== undefined || dismiss === true
  if (what === 'verify' && (payment !== undefined || isSettled))
    throw new UsageError('"ledger verify" takes no further arguments')
  if (payment === undefined && isSettled) throw new UsageError('The payment is missing: ledger review <payment>')
  if (payment !== undefined && (credit !== undefined) === (dismiss === true))
    throw new UsageError('Choose how to settle the payment: either --credit=<dollars> or --dismiss')
  const cents = credit === undefined ? undefined : centsOf(credit)
  if (credit !== undefined && !cents)
    throw new UsageError(`Cannot credit "${credit}": it has to be dollars, such as 20 or 7.50`)
  return [
    ...(json ? ['--json'] : []),
    ...(cents === undefined ? [] : [`--cents=${cents}`]),
    '--',
    what,
    ...(payment === undefined ? [] : [payment]),
  ]
}
