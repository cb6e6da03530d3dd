import { limits } from '../../../config/limits.ts'
import type { ProcessExit, ProcessHandle } from '../../../drivers/driver.ts'
import type { Claim } from '../../idempotency/keys.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { CarrelError } from '../../../errors.ts'
import type { Release } from '../../budgets/memory-budget.ts'
import { collectOutput, outputMemoryBytes, type CollectedOutput } from './collect-output.ts'
import { earlierProcess } from './earlier-process.ts'
import { endWhenGone } from './end-abandoned.ts'
import { startProcess, type ProcessOptions } from './start-process.ts'
import { waitForExit } from './wait-for-exit.ts'
import type { ComputersContext } from '../computers.ts'
import type { Context } from '../../context.ts'

export interface Execution extends CollectedOutput {
  process: ProcessHandle
  exit: ProcessExit
  /** Releases the memory of the output; to be called when the output has been sent. */
  release: Release
}

/**
 * Runs a program on a computer to its end, or until `gone` says that its client no longer waits; its output is then not
 * collected. Throws `process_goes_on` when the server has to shut down before the program ends.
 */
export async function execute(
  engine: ComputersContext,
  computer: AccessibleComputer<'run'>,
  options: ProcessOptions,
  gone: AbortSignal = never,
): Promise<Execution> {
  const process = await startProcess(engine, computer, options)
  const stopWatching = endWhenGone(engine.server, process, gone)
  const exit = await waitForExit(engine.server, process).finally(stopWatching)
  if (gone.aborted) return { process, exit, ...noOutput, release: () => {} }
  return collectExecution(engine, process, exit)
}

/**
 * Waits for the process that an earlier request with the same Idempotency-Key started, and returns what `execute`
 * would have returned.
 */
export async function resumeExecution(
  engine: Pick<Context, 'driver' | 'server' | 'budgets'>,
  claim: Claim,
): Promise<Execution> {
  const process = earlierProcess(engine, claim)
  const exit = await waitForExit(engine.server, process)
  return collectExecution(engine, process, exit)
}

/**
 * Returns the output of a process that has ended. Throws `output_waits`, which says where else the output can be read,
 * when there is no memory for it.
 */
export async function collectExecution(
  engine: Pick<Context, 'budgets'>,
  process: ProcessHandle,
  exit: ProcessExit,
): Promise<Execution> {
  const release = await memoryFor(engine, process, exit)
  try {
    const output = await collectOutput(process, outputOptions)
    return { ...output, process, exit, truncated: output.truncated || exit.truncated, release }
  } catch (error) {
    release()
    throw error
  }
}

async function memoryFor(
  engine: Pick<Context, 'budgets'>,
  process: ProcessHandle,
  exit: ProcessExit,
): Promise<Release> {
  const bytes = outputMemoryBytes(exit, outputOptions)
  if (bytes === 0) return () => {}
  try {
    return await engine.budgets.memory.reserve(String(process.meta.accountId), bytes)
  } catch (error) {
    if (!(error instanceof CarrelError)) throw error
    const { processId } = process
    throw new CarrelError(
      'output_waits',
      'Cannot return the output now: too many large responses are under way. The process has ended, and its output is kept',
      { details: { processId }, cause: error },
    )
  }
}

const never = new AbortController().signal
const noOutput = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), truncated: true }
const outputOptions = { maxBytes: limits.executeOutputBytes }
