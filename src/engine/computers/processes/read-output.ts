import assert from 'node:assert/strict'
import type { ProcessRow } from '../../../db/schema.ts'
import type { OutputChunk } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { Context } from '../../context.ts'

/**
 * Returns what is kept of the output of a computer's process from a cursor on, at most 1 MiB; nothing, and `truncated`,
 * where all of it is gone.
 *
 * @param row as `findProcess` found it on that computer
 */
export async function readOutput(
  engine: Pick<Context, 'driver'>,
  computer: AccessibleComputer,
  row: ProcessRow,
  cursor: number,
): Promise<OutputChunk> {
  assert.equal(row.computer_id, computer.id, 'the process is of another computer')
  try {
    return await engine.driver.output(row.id, cursor)
  } catch (error) {
    if (!(error instanceof CarrelError) || error.code !== 'not_found') throw error
    return { records: [], cursor, truncated: row.output_bytes > 0 || row.truncated === 1, done: row.state === 'ended' }
  }
}
