import { limits } from '../../config/limits.ts'
import type { Engine } from '../engine.ts'
import { stopComputer } from '../computers/stop.ts'
import { whileRunning } from '../computers/while-running.ts'

/**
 * Stops what runs for an account in order, and deletes nothing: a sandbox, whose files go with it, stays and its programs are
 * told to end; a computer of its own is stopped. With a token, what that token started in sandboxes alone.
 */
export async function stopUnpaid(engine: Engine, accountId: string, tokenId?: string): Promise<void> {
  for (const process of engine.driver.processes()) {
    const { meta, exit } = process
    if (exit || meta.accountId !== accountId || (tokenId !== undefined && meta.tokenId !== tokenId)) continue
    if (tokenId === undefined) engine.credit.unpaid.add(process)
    await process.kill('SIGTERM', 'tree').catch(() => {})
    setTimeout(() => void process.kill('SIGKILL', 'tree').catch(() => {}), limits.stopGraceMs).unref()
  }
  if (tokenId !== undefined) return
  const rows = await engine.db
    .selectFrom('computers')
    .select(['id', 'ephemeral'])
    .where('account_id', '=', accountId)
    .where('state', '=', 'running')
    .execute()
  for (const { id, ephemeral } of rows)
    if (ephemeral) setTimeout(() => void endLeftBehind(engine, accountId, id), limits.stopGraceMs).unref()
    else await whileRunning(engine, id, (row) => stopComputer(engine, row, 'billing', 'out_of_credits'))
}

/** What commands left in a sandbox is told nothing: nobody knows what it is. */
async function endLeftBehind(engine: Engine, accountId: string, computerId: string): Promise<void> {
  if (engine.credit.isEmpty(accountId)) await engine.driver.endPrograms(computerId).catch(() => {})
}
