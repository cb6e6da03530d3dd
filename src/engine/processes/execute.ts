import { limits } from '../../config/limits.ts'
import type { ProcessExit, ProcessHandle } from '../../drivers/driver.ts'
import { useSandbox } from '../computers/use-sandbox.ts'
import type { Caller, Engine } from '../engine.ts'
import { collectOutput, type CollectedOutput } from './collect-output.ts'
import { earlierProcess } from './earlier-process.ts'
import { startProcess, type ProcessOptions } from './start-process.ts'
import { waitForExit } from './wait-for-exit.ts'

export interface Execution extends CollectedOutput {
  process: ProcessHandle
  exit: ProcessExit
}

/**
 * Runs a program on the account's computer to its end. A caller that leaves does not end it; its time limit does.
 * Rejects with `process_goes_on` when the server has to end before it.
 */
export async function execute(
  engine: Engine,
  caller: Caller,
  sessionKey: string,
  options: ProcessOptions,
): Promise<Execution> {
  const { computer, done } = await useSandbox(engine, caller, sessionKey)
  try {
    const process = await startProcess(engine, caller, computer, options)
    return await executionOf(engine, process)
  } finally {
    done()
  }
}

/** What `execute` gives, of a process that an earlier request started and that runs or has ended since. */
export function resumeExecution(engine: Engine, processId: string): Promise<Execution> {
  return executionOf(engine, earlierProcess(engine, processId))
}

async function executionOf(engine: Engine, process: ProcessHandle): Promise<Execution> {
  const exit = await waitForExit(engine, process)
  const output = await collectOutput(process, limits.executeOutputBytes)
  return { ...output, process, exit, truncated: output.truncated || exit.truncated }
}
