import { limits } from '../../config/limits.ts'
import type { Engine } from '../engine.ts'
import { stopComputer } from '../computers/stop.ts'
import { whileRunning } from '../computers/while-running.ts'

/**
 * Stops what runs for an account in order, and deletes nothing: a sandbox, whose files go with it, stays and its programs are
 * told to end; a computer of its own is stopped. With a token, what that token started in sandboxes alone. What is being ended
 * already is left to that.
 */
export async function stopUnpaid(engine: Engine, accountId: string, tokenId?: string): Promise<void> {
  for (const process of engine.driver.processes()) {
    const { processId, meta, exit } = process
    if (exit || meta.accountId !== accountId || (tokenId !== undefined && meta.tokenId !== tokenId)) continue
    if (tokenId === undefined) engine.credit.unpaid.add(process)
    const isFirst = afterGrace(engine, processId, () => process.kill('SIGKILL', 'tree'))
    if (isFirst) await process.kill('SIGTERM', 'tree').catch(() => {})
  }
  if (tokenId !== undefined) return
  const rows = await engine.db
    .selectFrom('computers')
    .select(['id', 'ephemeral'])
    .where('account_id', '=', accountId)
    .where('state', '=', 'running')
    .execute()
  for (const { id, ephemeral } of rows)
    if (ephemeral) afterGrace(engine, id, () => endLeftBehind(engine, accountId, id))
    else await whileRunning(engine, id, (row) => stopComputer(engine, row, 'billing', 'out_of_credits'))
}

/** Ends a process or what is in a sandbox a while later; false when it is going to be already. */
function afterGrace({ credit }: Engine, id: string, end: () => Promise<void>): boolean {
  if (credit.ending.has(id)) return false
  credit.ending.add(id)
  setTimeout(() => {
    credit.ending.delete(id)
    void end().catch(() => {})
  }, limits.stopGraceMs).unref()
  return true
}

/** What commands left in a sandbox is told nothing: nobody knows what it is. */
async function endLeftBehind(engine: Engine, accountId: string, computerId: string): Promise<void> {
  if (engine.credit.isEmpty(accountId)) await engine.driver.endPrograms(computerId)
}
