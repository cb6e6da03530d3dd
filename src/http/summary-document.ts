import type { Uptime } from '../engine/uptime/uptime.ts'
import type { UptimeSummary } from '../engine/uptime/uptime-summary.ts'
import type { ReadyDocument } from './docs/ready-document.ts'

/** Returns what makes a document of the last check, once for each check: sending it again costs nothing. */
export function summaryDocument(
  uptime: Pick<Uptime, 'summary'>,
  make: (summary: UptimeSummary) => ReadyDocument,
): () => ReadyDocument {
  let made: { summary: UptimeSummary; document: ReadyDocument } | undefined
  return () => {
    const { summary } = uptime
    if (made?.summary !== summary) made = { summary, document: make(summary) }
    return made.document
  }
}
