import { setTimeout as wait } from 'node:timers/promises'
import { eraseDeleted } from '../../db/transaction.ts'
import type { Context } from '../context.ts'

/**
 * Makes the files of the database hold nothing of what was deleted. Waits up to 10 s for another program that reads
 * them.
 */
export async function eraseTraces({ db, log, server }: Pick<Context, 'db' | 'log' | 'server'>): Promise<void> {
  for (let attempt = 0; attempt < maxAttempts && !server.stopping.aborted; attempt++) {
    if (await eraseDeleted(db)) return
    await wait(attemptEveryMs)
  }
  log.warn(
    "traces of deleted data stay in the database's write-ahead log (carrel.db-wal) until the next start: it is in use",
  )
}

const maxAttempts = 100
const attemptEveryMs = 100
