import { limits } from '../config/limits.ts'
import type { Driver, ExistingComputer } from './driver.ts'

/**
 * Yields the computers that exist on the host, page by page. One that is neither created nor destroyed meanwhile is in
 * exactly one page.
 */
export async function* computerPages(driver: Pick<Driver, 'list'>): AsyncGenerator<ExistingComputer[]> {
  let after: string | undefined
  do {
    const { computers, next } = await driver.list({ limit: limits.driverPageItems, after })
    yield computers
    after = next
  } while (after !== undefined)
}

/** Yields the ids of all snapshots, page by page, as `computerPages` does with computers. */
export async function* snapshotPages(driver: Pick<Driver, 'snapshots'>): AsyncGenerator<string[]> {
  let after: string | undefined
  do {
    const { ids, next } = await driver.snapshots({ limit: limits.driverPageItems, after })
    yield ids
    after = next
  } while (after !== undefined)
}
