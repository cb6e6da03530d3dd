import { verifyBooks, type Verdict } from '../engine/money/ledger/verify-books.ts'
import { openBooks } from './open-books.ts'

/** Checks the books; resolves with the exit code, which is 1 when something is wrong. */
export async function verify({ asJson }: { asJson: boolean }): Promise<number> {
  await using books = openBooks('check the books', { readOnly: true })
  const { db, prices } = books
  // In one transaction, so that all of it is seen as of one moment.
  const verdict = await db.transaction().execute((trx) => verifyBooks(trx, prices.overdraftMicros))
  process.stdout.write(asJson ? `${JSON.stringify(verdict)}\n` : textOf(verdict))
  return verdict.problems.length === 0 ? 0 : 1
}

function textOf({ transactions, entries, books, intervals, problems }: Verdict): string {
  const looked = `${transactions} transactions, ${entries} entries, ${books} books and ${intervals} intervals of usage`
  if (problems.length === 0) return `The books are right: ${looked} checked.\n`
  return `The books are wrong: ${problems.length} problems in ${looked}.\n${problems.map((problem) => `  ${problem}\n`).join('')}`
}
