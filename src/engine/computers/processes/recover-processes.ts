import { limits } from '../../../config/limits.ts'
import type { ProcessHandle } from '../../../drivers/driver.ts'
import { forgetProbe, isProbe } from './probe-exec.ts'
import { isOfConnection, type ProcessMeta } from './process-meta.ts'
import { endEarlierConnection } from './connect-process.ts'
import type { ComputersContext } from '../computers.ts'
import type { Context } from '../../context.ts'

/**
 * Recovers the processes of an earlier server when this one starts: continues to follow those that still run, records
 * those that ended meanwhile, and marks as lost those whose end is unknown.
 */
export async function recoverProcesses(engine: ComputersContext): Promise<void> {
  for (const process of engine.driver.processes()) {
    if (isProbe(process)) {
      void forgetProbe(engine, process).catch((error: unknown) =>
        engine.log.warn({ err: error }, 'cannot forget a process of an earlier server'),
      )
      continue
    }
    if (isOfConnection(process)) {
      endEarlierConnection(engine, process)
      continue
    }
    if (!process.exit) {
      countDescriptors(engine, process)
      await engine.recorder.started(process)
      engine.portWatch.watch(process)
    }
    engine.clientPresence.startGracePeriod(process)
    engine.unreadOutput.read(process)
    void process.wait().then((exit) => {
      engine.meter.ended(process.computerId, process.processId)
      engine.recorder.ended(process, exit)
    })
  }
  await engine.recorder.flush()
  const known = new Set(engine.driver.processes().map(({ processId }) => processId))
  const running = await engine.db
    .selectFrom('processes')
    .selectAll()
    .where('node_id', '=', engine.node.id)
    .where('state', '=', 'running')
    .execute()
  for (const row of running.filter(({ id }) => !known.has(id))) {
    const recorded = await engine.driver.recordLost({
      processId: row.id,
      computerId: row.computer_id,
      pid: row.pid,
      startedAtMs: row.started_at,
      meta: { accountId: row.account_id, name: row.name, kind: row.kind, command: row.command },
    })
    engine.recorder.ended(recorded, recorded.exit!)
  }
  await engine.recorder.flush()
}

/** Counts the descriptors of a process that runs already, where there is room; the process is not refused. */
function countDescriptors({ budgets: { processDescriptors } }: Pick<Context, 'budgets'>, process: ProcessHandle): void {
  const { accountId = '' } = process.meta as Partial<ProcessMeta>
  const lease = processDescriptors.tryTake(
    processDescriptors.sharesOf({ account: accountId }),
    limits.processDescriptors,
  )
  void process.wait().then(() => lease?.release())
}
