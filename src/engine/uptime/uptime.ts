import { limits } from '../../config/limits.ts'
import type { Context } from '../context.ts'
import { noChecks, statusOfAll } from './check-counts.ts'
import { runProbe, type CheckResult, type Probe } from './run-probe.ts'
import {
  firstDayOf,
  hourMs,
  readDays,
  readHours,
  writeHours,
  type HourFound,
  type PeriodFound,
} from './uptime-hours.ts'
import { firstHourOf, summaryOf, type ServiceNow, type UptimeSummary } from './uptime-summary.ts'
import type { UptimeHourRow } from '../../db/schema.ts'

interface Parts extends Pick<Context, 'db' | 'node' | 'log'> {
  stopping: AbortSignal
  /** Default: `limits.uptimeProbeMs`. */
  timeoutMs?: number
  /** Default: `limits.uptimeSlowMs`. */
  slowMs?: number
}

interface Service {
  slug: string
  name: string
  probe: Probe
  last: CheckResult
  /** True while a probe of an earlier check has not ended, though its time is over. */
  hangs: boolean
}

/**
 * Checks the services of this server, and keeps what it finds: for each hour, how many checks found a service
 * operational, degraded or down. Services are checked at once, each within a time limit, and never twice at a time: one
 * whose probe hangs stays down until the probe has ended.
 *
 * The summary covers all nodes of the database. It is made after each check, so that reading it costs nothing. What the
 * database does not accept is kept in memory and written with a later check.
 */
export class Uptime {
  readonly #parts: Parts
  readonly #services = new Map<string, Service>()
  /** What the database does not have yet, by service and hour. */
  readonly #unwritten = new Map<string, HourFound>()
  #days: { toMs: number; found: readonly PeriodFound[] } | undefined
  #hours: readonly PeriodFound[] = []
  #others: readonly UptimeHourRow[] = []
  #summary: UptimeSummary
  #checking: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.#summary = this.#summarize(Date.now())
  }

  /** How the services work, as of the last check. A new object after each check. */
  get summary(): UptimeSummary {
    return this.#summary
  }

  /**
   * Adds a service to those that are checked.
   *
   * @param slug short and stable, as histories are kept under it
   * @param name what people call the service
   */
  add(slug: string, name: string, probe: Probe): void {
    if (this.#services.has(slug)) throw new Error(`Cannot add service "${slug}": there is one of that name`)
    this.#services.set(slug, { slug, name, probe, last: { status: 'unknown', responseMs: 0 }, hangs: false })
    this.#summary = this.#summarize(Date.now())
  }

  /** Checks every service, and makes the summary. Rejects when the database cannot be used, after everything else. */
  check(): Promise<void> {
    return (this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined
    }))
  }

  async #check(): Promise<void> {
    const { stopping } = this.#parts
    if (stopping.aborted) return
    const found = await Promise.all(
      [...this.#services.values()].map(async (service) => ({ service, result: await this.#try(service) })),
    )
    // What stops with the server is not down.
    if (stopping.aborted) return
    const now = Date.now()
    for (const { service, result } of found) {
      this.#logChange(service, result)
      service.last = result
      this.#count(service, now)
    }
    // While the database fails, nothing is known of the other nodes.
    this.#others = []
    try {
      await this.#write(now)
      await this.#read(now)
    } finally {
      this.#summary = this.#summarize(now)
    }
  }

  async #try(service: Service): Promise<CheckResult> {
    const { stopping, timeoutMs = limits.uptimeProbeMs, slowMs = limits.uptimeSlowMs } = this.#parts
    if (service.hangs) return { ...service.last, status: 'down' }
    service.hangs = true
    const probe: Probe = async (signal) => {
      try {
        return await service.probe(signal)
      } finally {
        service.hangs = false
      }
    }
    return runProbe(probe, { timeoutMs, slowMs, stopping })
  }

  #logChange({ slug, last }: Service, { status, error }: CheckResult): void {
    if (status === last.status) return
    const { log } = this.#parts
    if (status === 'down') log.warn({ err: error, service: slug }, 'a service is down')
    else if (last.status === 'down') log.warn({ service: slug, status }, 'a service works again')
  }

  #count({ slug, last }: Service, now: number): void {
    const { status, responseMs } = last
    if (status === 'unknown') return
    const starts_at = Math.floor(now / hourMs) * hourMs
    const key = `${starts_at} ${slug}`
    const hour = this.#unwritten.get(key) ?? { ...noChecks, slug, starts_at }
    this.#unwritten.set(key, {
      ...hour,
      [status]: hour[status] + 1,
      last_status: status,
      last_response_ms: responseMs,
      checked_at: now,
    })
  }

  async #write(now: number): Promise<void> {
    for (const [key, { starts_at }] of this.#unwritten) if (starts_at < firstDayOf(now)) this.#unwritten.delete(key)
    await writeHours(this.#parts.db, this.#parts.node, [...this.#unwritten.values()])
    this.#unwritten.clear()
  }

  /** Reads the last hours, and once an hour what came before them. */
  async #read(now: number): Promise<void> {
    const { db, node } = this.#parts
    const toMs = firstHourOf(now)
    const days = this.#days?.toMs === toMs ? this.#days : { toMs, found: await readDays(db, firstDayOf(now), toMs) }
    const { hours, others } = await readHours(db, { node, fromMs: toMs, nowMs: now })
    this.#days = days
    this.#hours = hours
    this.#others = others
  }

  #summarize(now: number): UptimeSummary {
    const unwritten = [...this.#unwritten.values()].map(({ slug, starts_at, operational, degraded, down }) => ({
      ...{ slug, startsAt: starts_at, operational, degraded, down },
    }))
    const services = [...this.#services.values()].map((service) => this.#stateOf(service))
    return summaryOf(now, services, { days: this.#days?.found ?? [], hours: [...this.#hours, ...unwritten] })
  }

  /** Returns the state of a service on all nodes. */
  #stateOf({ slug, name, last }: Service): ServiceNow {
    const others = this.#others
      .filter((row) => row.slug === slug)
      .map(({ last_status, last_response_ms }) => ({ status: last_status, responseMs: last_response_ms }))
    const known = [last, ...others].filter(({ status }) => status !== 'unknown')
    const totalMs = known.reduce((sum, { responseMs }) => sum + responseMs, 0)
    return {
      slug,
      name,
      status: statusOfAll(known.map(({ status }) => status)),
      responseMs: Math.round(totalMs / Math.max(1, known.length)),
    }
  }
}
