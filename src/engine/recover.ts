import { eraseDeleted } from '../db/transaction.ts'
import { reconcile } from './computers/lifecycle/reconcile.ts'
import { forgetUnrecorded } from './computers/processes/prune-processes.ts'
import { recoverProcesses } from './computers/processes/recover-processes.ts'
import type { Engine } from './engine.ts'
import { settleInteractions } from './environments/interactions/settle-interactions.ts'
import { recoverSessions } from './environments/sessions/sweep-sessions.ts'
import { pruneKeys } from './idempotency/keys.ts'
import { loadLowCredit } from './money/credit/load-low-credit.ts'
import { grantToAll } from './money/ledger/grant.ts'
import { recoverUsage } from './money/usage/recover-usage.ts'

/** Recovers what an earlier server left, before the first request. The order matters: charges depend on what runs. */
export async function recover(engine: Engine): Promise<void> {
  // A server that crashed during a deletion leaves traces in the write-ahead log.
  await eraseDeleted(engine.db)
  await grantToAll(engine.db, engine.prices)
  await loadLowCredit(engine)
  await reconcile(engine)
  await recoverProcesses(engine)
  await recoverUsage(engine)
  await forgetUnrecorded(engine)
  await pruneKeys(engine, { unfinished: true })
  await recoverSessions(engine)
  await settleInteractions(engine)
  await engine.operations.resume()
}
