import type { ProcessRow } from '../../../db/schema.ts'
import type { OutputChunk } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import type { Context } from '../../context.ts'

/** What is kept of a process's output from a cursor on, at most 1 MiB. Nothing, and `truncated`, where all of it is gone. */
export async function readOutput(
  engine: Pick<Context, 'driver'>,
  row: ProcessRow,
  cursor: number,
): Promise<OutputChunk> {
  try {
    return await engine.driver.output(row.id, cursor)
  } catch (error) {
    if (!(error instanceof CarrelError) || error.code !== 'not_found') throw error
    return { records: [], cursor, truncated: row.output_bytes > 0 || row.truncated === 1, done: row.state === 'ended' }
  }
}
