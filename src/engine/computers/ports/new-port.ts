import type { PortRow } from '../../../db/schema.ts'

/** Returns the row of a port that everybody may open. */
export function newPort(computerId: string, port: number, now: number): PortRow {
  return { computer_id: computerId, port, created_at: now, name: null, visibility: 'public', updated_at: now }
}
