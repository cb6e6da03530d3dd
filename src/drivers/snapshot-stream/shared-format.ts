import { CarrelError } from '../../errors.ts'
import type { SnapshotFormat } from '../driver.ts'

/** Returns the first format that the importing driver reads too. Throws `invalid_request` when there is none. */
export function sharedFormat(written: readonly SnapshotFormat[], readable: readonly SnapshotFormat[]): SnapshotFormat {
  const shared = written.find((format) => readable.includes(format))
  if (shared) return shared
  throw new CarrelError(
    'invalid_request',
    `Cannot export the snapshot: it can be written as ${written.join(' or ')}, and the importing node reads ${readable.join(' or ') || 'nothing'}`,
    { details: { formats: [...written] } },
  )
}
