import { sql } from 'kysely'
import type { ComputerRow } from '../../../db/schema.ts'
import { readMarks } from './cpu-marks.ts'
import type { CpuMark, CpuTotals, MeteredFacts } from './metered-computer.ts'
import { meteredOf } from './metered.ts'
import { settleUsage } from './settle-usage.ts'
import { unionByPayer, type Stretch } from './union-by-payer.ts'
import type { MoneyContext } from '../money.ts'
import type { Context } from '../../context.ts'

/**
 * After a start: counts what ran since the last record of the server before this one, by what is known of it for
 * certain, and goes on counting what still runs. Called when computers and processes are reconciled.
 */
export async function recoverUsage(engine: MoneyContext, now: number = Date.now()): Promise<void> {
  const stretches = await stretchesSincePaid(engine)
  const marks = await readMarks(engine.db)
  for (const row of await computers(engine)) {
    const computer = meteredOf(row)
    if (!computer) continue
    const paidToMs = Math.max(Number(row.paid_to ?? 0), row.created_at)
    const own = stretches.get(row.id) ?? []
    const running = row.state === 'running'
    if (!running && own.length === 0) continue
    const from = Math.max(paidToMs, running && computer.always ? (row.started_at ?? now) : 0)
    const used =
      running && computer.always ? [{ tokenId: null, ms: Math.max(0, now - from) }] : unionByPayer(own, paidToMs, now)
    const { free, totals } = unattendedSince(engine, row, { computer, mark: marks.get(row.id), paidToMs, used, now })
    const lastTokenId = own.at(-1)?.tokenId ?? row.paid_by
    engine.meter.resume(computer, { paidToMs: from, totals }, { used, free, lastTokenId })
    for (const { processId, tokenId, endedAtMs } of own)
      if (endedAtMs === undefined) engine.meter.began(row.id, processId, tokenId)
    if (!running) engine.meter.close(row.id)
  }
  await settleUsage(engine)
}

/**
 * What a sandbox used of processors while nothing ran in it that was started here, which the kernel went on counting.
 * Programs that were may have used all that they could get: for that they are charged.
 */
function unattendedSince(
  engine: Pick<Context, 'driver'>,
  row: PaidComputer,
  { computer, mark, paidToMs, used, now }: Since,
): { free: { ms: number; cpuMicros: number }; totals: CpuTotals } {
  const counterMicros = row.state === 'running' && !computer.always ? engine.driver.cpuMicros(row.id) : undefined
  const before = mark ?? { usedMicros: 0, openMs: 0 }
  // One that was charged and never marked was counted by a server that did not look at its processor time.
  const isUnknown = counterMicros === undefined || (mark === undefined && row.paid_to !== null)
  if (isUnknown) return { free: { ms: 0, cpuMicros: 0 }, totals: before }
  const sinceMark = Math.max(0, counterMicros - (mark?.counterMicros ?? 0))
  const usedMs = used.reduce((sum, { ms }) => sum + ms, 0)
  const fromMs = Math.max(paidToMs, mark?.atMs ?? 0, row.started_at ?? 0)
  const free = {
    ms: Math.max(0, now - fromMs - usedMs),
    cpuMicros: Math.max(0, sinceMark - usedMs * 1000 * row.cpus),
  }
  const totals = { usedMicros: before.usedMicros + sinceMark, openMs: before.openMs + Math.max(0, now - fromMs) }
  return { free, totals }
}

interface Since {
  computer: MeteredFacts
  mark: CpuMark | undefined
  paidToMs: number
  used: { ms: number }[]
  now: number
}

interface PaidComputer extends ComputerRow {
  /** Up to when it was charged, and whose time that was. */
  paid_to: number | null
  paid_by: string | null
}

async function computers(engine: Pick<Context, 'db'>): Promise<PaidComputer[]> {
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
    .where('account_id', 'is not', null)
    .execute()
}

/**
 * Processes that ran after their computer's last record, by computer. When a lost one ended nobody knows: it is not
 * counted.
 */
async function stretchesSincePaid(engine: Pick<Context, 'db' | 'driver'>): Promise<Map<string, Stretch[]>> {
  const rows = await engine.db
    .selectFrom('processes')
    .innerJoin('computers', 'computers.id', 'processes.computer_id')
    .select(['processes.id', 'processes.computer_id', 'processes.started_at', 'processes.ended_at'])
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
  const byComputer = new Map<string, Stretch[]>()
  for (const { id, computer_id, started_at, ended_at } of rows) {
    const { tokenId, isServer } = (engine.driver.process(id)?.meta ?? {}) as { tokenId?: string; isServer?: boolean }
    if (isServer) continue
    const stretch = {
      processId: id,
      tokenId: tokenId ?? null,
      startedAtMs: Number(started_at),
      endedAtMs: ended_at === null ? undefined : Number(ended_at),
    }
    byComputer.set(computer_id, [...(byComputer.get(computer_id) ?? []), stretch])
  }
  return byComputer
}
