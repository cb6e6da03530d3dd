import { limits } from '../../../config/limits.ts'
import { unindexed } from '../../../db/unindexed.ts'
import type { EndReason, ProcessHandle } from '../../../drivers/driver.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import { stopComputer } from '../lifecycle/stop.ts'
import { whileRunning } from '../lifecycle/while-running.ts'
import { reachedLimit } from '../../money/credit/spending-limits.ts'
import type { ComputersContext } from '../computers.ts'

/**
 * Stops what runs for an account on this node, and deletes nothing: the programs in a sandbox, whose files would go with it, are
 * asked to end, and the sandbox stays; a durable computer is stopped. With a token, ends only what that token started
 * in sandboxes. What is being ended already is not ended twice. Each process records why it ended. Returns false when
 * nothing was running that is not being ended already.
 *
 * The time in which programs end is not paid for, so all sandboxes of an account share one grace period.
 */
export async function stopUnpaid(
  engine: ComputersContext,
  accountId: string,
  { why, tokenId }: { why: EndReason; tokenId?: string | undefined },
): Promise<boolean> {
  const sandboxes = tokenId === undefined ? engine.meter.spending(accountId).certain : 1
  const graceMs = limits.stopGraceMs / Math.max(sandboxes, 1)
  const ending = engine.driver
    .processes()
    .filter(({ meta, exit }) => !exit && meta.accountId === accountId)
    .filter((process) => tokenId === undefined || payerOf(engine, process) === tokenId)
  const signalled = await Promise.all(
    ending.map(async (process) => {
      const isFirst = afterGrace(engine, process.processId, graceMs, () => process.kill('SIGKILL', 'tree', why))
      if (isFirst) await process.kill('SIGTERM', 'tree', why).catch(() => {})
      return isFirst
    }),
  )
  const isAnySignalled = signalled.includes(true)
  // Orphaned processes get no signal first, as they are not known one by one.
  if (tokenId !== undefined) {
    const ended = engine.meter.orphanedBy(accountId, tokenId).filter((id) => {
      // Whether they work at the end of the grace period does not matter: they may be resting just at that check.
      const endsKernels = engine.meter.unattendedState(id) === 'working'
      return afterGrace(engine, id, graceMs, () =>
        endOrphansOf(engine, { accountId, tokenId, computerId: id, endsKernels }),
      )
    })
    return isAnySignalled || ended.length > 0
  }
  const rows = await engine.db
    .selectFrom('computers')
    .select(['id', 'lifecycle'])
    .where('account_id', '=', accountId)
    .where(unindexed('node_id'), '=', engine.node.id)
    .where('state', '=', 'running')
    .execute()
  for (const row of rows)
    if (policyOf(row).endsUnpaid === 'programs')
      afterGrace(engine, row.id, graceMs, () => endAllOrphans(engine, accountId, row.id, why))
    else await whileRunning(engine, row.id, (running) => stopComputer(engine, running, 'billing', why))
  return isAnySignalled
}

/** Calls `end` after the grace period. Returns false when the process or sandbox is being ended already. */
function afterGrace(
  { credit }: Pick<ComputersContext, 'credit'>,
  id: string,
  graceMs: number,
  end: () => Promise<void>,
): boolean {
  if (credit.ending.has(id)) return false
  credit.ending.add(id)
  setTimeout(() => {
    credit.ending.delete(id)
    void end().catch(() => {})
  }, graceMs).unref()
  return true
}

async function endAllOrphans(
  engine: Pick<ComputersContext, 'db' | 'driver' | 'meter' | 'credit'>,
  accountId: string,
  computerId: string,
  why: EndReason,
): Promise<void> {
  const isStillUnpaid =
    why === 'spending_limit' ? await reachedLimit(engine, accountId, '') : engine.credit.isEmpty(accountId)
  if (!isStillUnpaid) return
  await engine.driver.endPrograms(computerId)
  engine.meter.programsEnded(computerId)
}

/**
 * Ends the orphaned processes of a token in a sandbox. What others run there continues; while it does, they pay. A
 * kernel continues too, unless it is what works.
 */
async function endOrphansOf(
  engine: Pick<ComputersContext, 'db' | 'driver' | 'meter'>,
  {
    accountId,
    tokenId,
    computerId,
    endsKernels,
  }: { accountId: string; tokenId: string; computerId: string; endsKernels: boolean },
): Promise<void> {
  if (!(await reachedLimit(engine, accountId, tokenId))) return
  if (!engine.meter.hasOnlyOrphansOf(computerId, tokenId)) return
  const others = engine.driver
    .processesOn(computerId)
    .filter(({ exit, meta }) => !exit && !(endsKernels && meta.kind === 'kernel'))
  await engine.driver.endPrograms(
    computerId,
    others.map(({ processId }) => processId),
  )
  engine.meter.programsEnded(computerId)
}

/**
 * Returns the token that pays for a process. A kernel is paid by the token whose call it runs; while it waits, by none.
 */
function payerOf({ kernels }: Pick<ComputersContext, 'kernels'>, { processId, meta }: ProcessHandle): unknown {
  return meta.kind === 'kernel' ? kernels.callerOf(processId) : meta.tokenId
}
