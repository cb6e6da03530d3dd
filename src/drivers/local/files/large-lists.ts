import { CarrelError } from '../../../errors.ts'
import type { EntryStats } from './file-info.ts'
import { TurnThread, type Failure } from './turn-thread.ts'

export interface ListRequest {
  /** The directory's descriptor, which stays open until the answer arrives. */
  fd: number
  limit: number
  /** A name as Latin-1, which preserves its bytes. */
  after: string | undefined
  maxBytes: number
  prefixBytes: number
}

interface ListedPage {
  entries: EntryStats[]
  /** The last name of the page; undefined for the last page. */
  next: string | undefined
}

/** A message of the thread: a part of a page, its end, or a failure. */
export type ListMessage = { entries: EntryStats[] } | { end: true; next: string | undefined } | Failure

/** Reads pages of large directories on a thread of their own: a million names take a second. */
export const largeLists = new TurnThread<ListRequest, ListMessage, ListedPage>({
  program: new URL('large-lists-worker.ts', import.meta.url),
  receiver: () => {
    const entries: EntryStats[] = []
    return (message) => {
      if ('end' in message) return { entries, next: message.next }
      entries.push(...message.entries)
      return undefined
    }
  },
  refuse: (limit) => {
    throw new CarrelError(
      'limit_reached',
      `Cannot list the directory: ${limit} requests for large directories of this sandbox are already queued`,
      { details: { limit } },
    )
  },
})
