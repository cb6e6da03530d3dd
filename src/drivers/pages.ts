import { limits } from '../config/limits.ts'
import { CarrelError } from '../errors.ts'
import type { PageOptions } from './driver.ts'

interface Page {
  ids: string[]
  /** The `after` of the next page; undefined on the last one. */
  next?: string
}

/** Returns a page of ids that are in no order. */
export function pageOf(all: Iterable<string>, { limit, after }: PageOptions): Page {
  const start = after === undefined ? undefined : Buffer.from(after)
  const ids = Array.from(all, (id) => ({ id, bytes: Buffer.from(id) }))
    .filter(({ bytes }) => !start || bytes.compare(start) > 0)
    .toSorted((one, other) => one.bytes.compare(other.bytes))
    .slice(0, limit + 1)
    .map(({ id }) => id)
  return toPage(ids, limit)
}

/** Returns a page of ids in order, which has one more than `limit` where it is not the last. */
export function toPage(ids: string[], limit: number): Page {
  if (ids.length <= limit) return { ids }
  const page = ids.slice(0, limit)
  return { ids: page, next: page.at(-1)! }
}

/** Throws `invalid_request` for a page that is empty or too long. */
export function checkPage({ limit }: PageOptions): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= limits.driverPageItems) return
  throw new CarrelError('invalid_request', `Cannot list: limit ${limit} is not from 1 to ${limits.driverPageItems}`, {
    details: { field: 'limit', limit: limits.driverPageItems },
  })
}
