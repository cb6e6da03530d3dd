import type { Static } from 'typebox'
import type { UptimeSummary } from '../../engine/uptime/uptime-summary.ts'
import { isoTime } from '../iso-time.ts'
import type { uptimeAnswer } from './schemas.ts'

/** Returns a summary in the form of this API. */
export function uptimeAnswerOf({ checkedAtMs, services }: UptimeSummary): Static<typeof uptimeAnswer> {
  const bySlug = <Value>(valueOf: (service: UptimeSummary['services'][number]) => Value) =>
    Object.fromEntries(services.map((service) => [service.slug, valueOf(service)]))
  return {
    checked_at: isoTime(checkedAtMs),
    services: services.map(({ slug, name, status, responseMs }) => ({ slug, name, status, response_ms: responseMs })),
    history: bySlug(({ days }) => days.map(({ status }) => status)),
    history_dates: (services[0]?.days ?? []).map(({ startsAt }) => isoTime(startsAt).slice(0, 10)),
    hourly_history: bySlug(({ hours }) => hours.map(({ status }) => status)),
    uptime_percent: bySlug(({ percent = 100 }) => percent),
  }
}
