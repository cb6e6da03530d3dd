import { transaction } from '../db/transaction.ts'
import { verifyBooks, type Verdict } from '../engine/money/ledger/verify-books.ts'
import { openLedger } from './open-ledger.ts'

/** Verifies the ledger. Resolves with the exit code, which is 1 when something is wrong. */
export async function verify({ asJson }: { asJson: boolean }): Promise<number> {
  await using ledger = await openLedger('verify the ledger', { readOnly: true })
  const { db, prices } = ledger
  // One transaction sees everything as of the same moment.
  const verdict = await transaction(db, 'read', (trx) => verifyBooks(trx, prices.overdraftMicros))
  process.stdout.write(asJson ? `${JSON.stringify(verdict)}\n` : textOf(verdict))
  return verdict.problems.length === 0 ? 0 : 1
}

function textOf({ transactions, entries, books, intervals, problems }: Verdict): string {
  const checked = `${transactions} transactions, ${entries} entries, ${books} ledger accounts and ${intervals} usage intervals`
  if (problems.length === 0) return `The ledger is correct: ${checked} checked.\n`
  return `The ledger is wrong: ${problems.length} problems in ${checked}.\n${problems.map((problem) => `  ${problem}\n`).join('')}`
}
