import type { LostProcess, ProcessExit } from '../../driver.ts'
import { writeRecord } from '../monitor/process-record.ts'
import { journalBytes } from '../monitor/read-journal.ts'

/** Records that a process is lost, next to the output that the monitor wrote. Returns the exit. */
export async function recordLostExit(
  directory: string,
  { processId, computerId, pid, startedAtMs, meta }: LostProcess,
): Promise<ProcessExit> {
  const exit: ProcessExit = {
    reason: 'lost',
    exitCode: null,
    signal: null,
    endedAtMs: Date.now(),
    outputBytes: await journalBytes(directory).catch(() => 0),
    truncated: true,
  }
  const state = { processId, computerId, pid: 0, insidePid: pid, startedAtMs, directory, meta, exit }
  // On a full disk, only this server knows the exit.
  await writeRecord(directory, state).catch(() => {})
  return exit
}
