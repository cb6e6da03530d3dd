import { sql, type Kysely } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { lifecyclesWhere } from '../../lifecycle-policy.ts'
import { freeMicrosPerMs } from './unattended-work.ts'

/**
 * Returns the sandboxes that used more processor time, by the kernel's counter, than the charged time could have given
 * them, as sentences. Independent of how work is noticed, so that it finds work that went unnoticed.
 */
export async function unpaidProcessorTime(db: Kysely<Database>, max: number): Promise<string[]> {
  const { rows } = await sql<{ computer_id: string; used: number; paid: number }>`
    select * from (
      select m.computer_id as computer_id, m.cpus as cpus, m.used_micros as used, m.open_ms as open_ms,
        coalesce((select sum(u.quantity) from usage_intervals u
          where u.computer_id = m.computer_id and u.meter = 'compute'), 0) as paid
      from compute_marks m
    ) w
    where used > (paid * cpus * 1000 + open_ms * ${freeMicrosPerMs}) * ${tolerance} + ${toleratedMs * 1000}
    limit ${max}`.execute(db)
  return rows.map(
    ({ computer_id, used, paid }) =>
      `Computer "${computer_id}" used ${seconds(used / 1000)} s of processors, and ${seconds(paid)} s of it were charged`,
  )
}

/**
 * Returns the sandboxes whose long processes ran for longer, by the monitor's records, than was charged since the first
 * of them began, as sentences. Running and lost processes are left out, since their end is unknown. Short ones are left
 * out, since their records mostly show how busy the host was when they started.
 */
export async function unpaidProcesses(db: Kysely<Database>, max: number): Promise<string[]> {
  const { rows } = await sql<{ computer_id: string; ran: number; paid: number }>`
    select * from (
      select s.computer_id as computer_id, s.ran as ran,
        (select coalesce(sum(u.quantity), 0) from usage_intervals u
          where u.computer_id = s.computer_id and u.meter = 'compute' and u.ended_at > s.since) as paid,
        (select max(u.ended_at) from usage_intervals u where u.computer_id = s.computer_id and u.meter = 'compute') as paid_to
      from (
        select computer_id, min(started_at) as since, sum(case when ended_at > begun then ended_at - begun else 0 end) as ran
        from (
          select p.computer_id as computer_id, p.started_at as started_at, p.ended_at as ended_at,
            case when p.started_at + ${startMs} > coalesce(max(p.ended_at) over earlier, 0) then p.started_at + ${startMs}
              else max(p.ended_at) over earlier end as begun
          from processes p join computers c on c.id = p.computer_id
          where p.kind <> 'kernel' and p.ended_at < ${Date.now() - settledMs} and p.ended_at - p.started_at > ${longMs}
            and (p.reason is null or p.reason <> 'lost') and c.lifecycle in (${sql.join(chargedForWork)}) and c.account_id is not null
          window earlier as (partition by p.computer_id order by p.started_at, p.id rows between unbounded preceding and 1 preceding)
        ) t
        group by computer_id
      ) s
    ) w
    where ran > paid * ${tolerance} + ${toleratedMs}
    limit ${max}`.execute(db)
  return rows.map(
    ({ computer_id, ran, paid }) =>
      `Programs of computer "${computer_id}" ran for ${seconds(ran)} s, and ${seconds(paid)} s of it were charged`,
  )
}

function seconds(ms: number): string {
  return (Number(ms) / 1000).toFixed(1)
}

const chargedForWork = lifecyclesWhere(({ charged }) => charged === 'work')
/** For fractions of a millisecond, and clocks that are set while a program runs. */
const tolerance = 1.05
const toleratedMs = 2000
/** A record begins before the runtime starts, which is not charged and takes up to a second on a busy host. */
const startMs = 1000
const longMs = 5000
/** Running work is charged each minute. */
const settledMs = 2 * 60_000
