import assert from 'node:assert/strict'
import type { OutputChunk } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { Context } from '../../context.ts'
import type { ProcessFacts } from './recorder.ts'

/**
 * Returns the kept output of a computer's process from a cursor on, at most 1 MiB. When none is kept any more, returns
 * no records, and `truncated` unless there never was any output.
 *
 * @param row the process, as `findProcess` found it on that computer
 */
export async function readOutput(
  engine: Pick<Context, 'driver'>,
  computer: AccessibleComputer,
  row: ProcessFacts,
  cursor: number,
): Promise<OutputChunk> {
  assert.equal(row.computer_id, computer.id, 'the process belongs to another computer')
  try {
    return await engine.driver.output(row.id, cursor)
  } catch (error) {
    if (!(error instanceof CarrelError) || error.code !== 'not_found') throw error
    return { records: [], cursor, truncated: row.output_bytes > 0 || row.truncated === 1, done: row.state === 'ended' }
  }
}
