import { sql } from 'kysely'
import type { ComputerRow } from '../../../db/schema.ts'
import { nodeSnapshots } from './cpu-snapshots.ts'
import type { CpuSnapshot, CpuTotals, MeteredFacts } from './metered-computer.ts'
import { meteredOf } from './metered.ts'
import { settleUsage } from './settle-usage.ts'
import { unionByPayer, type Span } from './union-by-payer.ts'
import type { MoneyContext, PostingContext } from '../money.ts'
import type { Context } from '../../context.ts'

/**
 * After a start: charges what ran since the last record of the previous server, as far as it is known for certain, and
 * continues to meter what still runs. Called when computers and processes are reconciled.
 */
export async function recoverUsage(
  engine: PostingContext & Pick<MoneyContext, 'driver'>,
  now: number = Date.now(),
): Promise<void> {
  const spans = await spansSincePaid(engine)
  const snapshots = await nodeSnapshots(engine.db, engine.node.id)
  for (const row of await computers(engine)) {
    const computer = meteredOf(row)
    if (!computer) continue
    const paidToMs = Math.max(Number(row.paid_to ?? 0), row.created_at)
    const own = spans.get(row.id) ?? []
    const running = row.state === 'running'
    if (!running && own.length === 0) continue
    const from = Math.max(paidToMs, running && computer.costsWhileRunning ? (row.started_at ?? now) : 0)
    const used =
      running && computer.costsWhileRunning
        ? [{ tokenId: null, ms: Math.max(0, now - from) }]
        : unionByPayer(own, paidToMs, now)
    const { free, totals } = unattendedSince(engine, row, {
      computer,
      snapshot: snapshots.get(row.id),
      paidToMs,
      used,
      now,
    })
    const lastTokenId = own.at(-1)?.tokenId ?? row.paid_by
    engine.meter.resume(computer, { paidToMs: from, totals }, { used, free, lastTokenId })
    for (const { processId, tokenId, endedAtMs } of own)
      if (endedAtMs === undefined) engine.meter.began(row.id, processId, tokenId)
    if (!running) engine.meter.close(row.id)
  }
  await settleUsage(engine)
}

/**
 * Returns the processor time that a sandbox used while none of our processes ran in it, which the kernel kept counting;
 * none for a computer that is charged while it runs, whatever it does.
 * Our own processes are taken to have used all that they could get, and are charged for that.
 */
function unattendedSince(
  engine: Pick<Context, 'driver'>,
  row: PaidComputer,
  { computer, snapshot, paidToMs, used, now }: Since,
): { free: { ms: number; cpuMicros: number }; totals: CpuTotals } {
  const counterMicros = row.state === 'running' ? engine.driver.cpuMicros(row.id) : undefined
  const before = snapshot ?? { usedMicros: 0, openMs: 0 }
  // A computer that was charged and has no snapshot was metered by a server that did not read its processor time.
  const isUnknown = counterMicros === undefined || (snapshot === undefined && row.paid_to !== null)
  if (isUnknown) return { free: { ms: 0, cpuMicros: 0 }, totals: before }
  const sinceMark = Math.max(0, counterMicros - (snapshot?.counterMicros ?? 0))
  const usedMs = used.reduce((sum, { ms }) => sum + ms, 0)
  const fromMs = Math.max(paidToMs, snapshot?.atMs ?? 0, row.started_at ?? 0)
  const free = computer.costsWhileRunning
    ? { ms: 0, cpuMicros: 0 }
    : { ms: Math.max(0, now - fromMs - usedMs), cpuMicros: Math.max(0, sinceMark - usedMs * 1000 * row.cpus) }
  const totals = { usedMicros: before.usedMicros + sinceMark, openMs: before.openMs + Math.max(0, now - fromMs) }
  return { free, totals }
}

interface Since {
  computer: MeteredFacts
  snapshot: CpuSnapshot | undefined
  paidToMs: number
  used: { ms: number }[]
  now: number
}

interface PaidComputer extends ComputerRow {
  /** Until when it was charged, and for which token. */
  paid_to: number | null
  paid_by: string | null
}

async function computers(engine: Pick<Context, 'db' | 'node'>): Promise<PaidComputer[]> {
  return engine.db
    .selectFrom('computers')
    .selectAll()
    .select((eb) => {
      const paid = eb
        .selectFrom('usage_intervals')
        .whereRef('usage_intervals.computer_id', '=', 'computers.id')
        .where('usage_intervals.meter', '=', 'compute')
        .orderBy('usage_intervals.ended_at', 'desc')
        .limit(1)
      return [
        paid.select('usage_intervals.ended_at').as('paid_to'),
        paid.select('usage_intervals.token_id').as('paid_by'),
      ]
    })
    .where('node_id', '=', engine.node.id)
    .where('account_id', 'is not', null)
    .execute()
}

/**
 * Returns the processes that ran after their computer's last record, by computer. The end of a lost process is unknown:
 * it does not count.
 */
async function spansSincePaid(engine: Pick<Context, 'db' | 'node' | 'driver'>): Promise<Map<string, Span[]>> {
  const rows = await engine.db
    .selectFrom('processes')
    .innerJoin('computers', 'computers.id', 'processes.computer_id')
    .select(['processes.id', 'processes.computer_id', 'processes.started_at', 'processes.ended_at'])
    .where('computers.node_id', '=', engine.node.id)
    .where('processes.kind', '!=', 'kernel')
    .where((eb) => eb.or([eb('processes.reason', 'is', null), eb('processes.reason', '!=', 'lost')]))
    .where((eb) =>
      eb.or([
        eb('processes.state', '=', 'running'),
        eb(
          'processes.ended_at',
          '>',
          sql<number>`coalesce((select max(u.ended_at) from usage_intervals u where u.computer_id = computers.id and u.meter = 'compute'), computers.created_at)`,
        ),
      ]),
    )
    .orderBy('processes.started_at')
    .execute()
  const byComputer = new Map<string, Span[]>()
  for (const { id, computer_id, started_at, ended_at } of rows) {
    const { tokenId, isServer } = (engine.driver.process(id)?.meta ?? {}) as { tokenId?: string; isServer?: boolean }
    if (isServer) continue
    const span = {
      processId: id,
      tokenId: tokenId ?? null,
      startedAtMs: Number(started_at),
      endedAtMs: ended_at === null ? undefined : Number(ended_at),
    }
    byComputer.set(computer_id, [...(byComputer.get(computer_id) ?? []), span])
  }
  return byComputer
}
