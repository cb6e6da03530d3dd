import { limits } from '../../../config/limits.ts'
import type { EndReason, ProcessHandle } from '../../../drivers/driver.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import { stopComputer } from '../lifecycle/stop.ts'
import { whileRunning } from '../lifecycle/while-running.ts'
import { reachedLimit } from '../../money/credit/spending-limits.ts'
import type { ComputersContext } from '../computers.ts'

/**
 * Stops what runs for an account in order, and deletes nothing: a sandbox, whose files go with it, stays and its programs are
 * told to end; a computer of its own is stopped. With a token, what that token started in sandboxes alone. What is being ended
 * already is left to that. The end of each process tells why. False when there was nothing that ran on.
 *
 * Nobody pays for the time in which programs end. So all sandboxes of an account together get as long as one would.
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
  const told = await Promise.all(
    ending.map(async (process) => {
      const isFirst = afterGrace(engine, process.processId, graceMs, () => process.kill('SIGKILL', 'tree', why))
      if (isFirst) await process.kill('SIGTERM', 'tree', why).catch(() => {})
      return isFirst
    }),
  )
  const isAnyTold = told.includes(true)
  // What was left behind is told nothing: nobody knows what it is.
  if (tokenId !== undefined) {
    const ended = engine.meter.orphanedBy(accountId, tokenId).filter((id) => {
      // Whether it works then, too, does not matter: it may rest just when somebody looks.
      const endsKernels = engine.meter.unattendedState(id) === 'working'
      return afterGrace(engine, id, graceMs, () =>
        endOrphanedBy(engine, { accountId, tokenId, computerId: id, endsKernels }),
      )
    })
    return isAnyTold || ended.length > 0
  }
  const rows = await engine.db
    .selectFrom('computers')
    .select(['id', 'lifecycle'])
    .where('account_id', '=', accountId)
    .where('state', '=', 'running')
    .execute()
  for (const row of rows)
    if (policyOf(row).endsUnpaid === 'programs')
      afterGrace(engine, row.id, graceMs, () => endOrphaned(engine, accountId, row.id, why))
    else await whileRunning(engine, row.id, (running) => stopComputer(engine, running, 'billing', why))
  return isAnyTold
}

/** Ends a process or what is in a sandbox a while later; false when it is going to be already. */
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

async function endOrphaned(
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

/** What others run there goes on; while they do, they pay. A kernel goes on too, unless it is what works. */
async function endOrphanedBy(
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
    .processes()
    .filter((process) => process.computerId === computerId && !process.exit)
    .filter(({ meta }) => !endsKernels || meta.kind !== 'kernel')
  await engine.driver.endPrograms(
    computerId,
    others.map(({ processId }) => processId),
  )
  engine.meter.programsEnded(computerId)
}

/** Whose process it is; a kernel is theirs whose call it runs, and nobody's while it waits. */
function payerOf({ kernels }: Pick<ComputersContext, 'kernels'>, { processId, meta }: ProcessHandle): unknown {
  return meta.kind === 'kernel' ? kernels.callerOf(processId) : meta.tokenId
}
