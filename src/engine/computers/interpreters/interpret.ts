import type { ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import { beginPaid } from '../credit/assert-credit.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { newId } from '../../ids.ts'
import type { Interpretation } from './interpretation.ts'
import type { KernelLanguage } from './kernel-programs.ts'
import type { ComputersContext } from '../computers.ts'

export interface InterpretOptions {
  language: KernelLanguage
  code: string
  /** Counts from when the code begins to run; waiting in the queue does not count. Undefined for no limit. */
  timeoutMs: number | undefined
  /** Aborts when the client no longer waits for the response: code that runs is interrupted. */
  signal: AbortSignal
}

export interface Interpreted {
  interpretation: Interpretation
  /** The kernel's process. */
  process: ProcessHandle
  /** Why the previous kernel ended, when this call started a new one in its place. */
  restartReason: string | undefined
  /** How long the code ran, without its wait and the start of the kernel. */
  durationMs: number
  /** Releases the memory of the response; to be called when the response has been sent. */
  release: () => void
}

/**
 * Runs code in the computer's kernel of its language: what the code defines stays for the next call. A kernel that runs
 * no call does not keep its computer from the idle stop. Throws `limit_reached` when too many calls wait.
 */
export async function interpret(
  engine: ComputersContext,
  computer: AccessibleComputer<'run'>,
  { language, code, timeoutMs, signal }: InterpretOptions,
): Promise<Interpreted> {
  const { tokenId } = computer.caller
  // Interrupted when the server shuts down, too: otherwise the next server would find code that runs for no client.
  const ending = AbortSignal.any([signal, engine.server.closing])
  return engine.kernels.inTurn(computer.id, language, async () => {
    if (ending.aborted) throw new CarrelError('unavailable', 'Cannot run the code: its client no longer waits for it')
    const endStart = await beginPaid(engine, computer)
    try {
      // A kernel that waits is not charged. Each call is charged by itself, with the start of the kernel where it needs
      // one.
      const id = newId()
      engine.meter.began(computer.id, id, tokenId)
      try {
        const { kernel, restartReason } = await engine.kernels.find(engine, computer, language)
        const endCall = engine.kernels.beginCall(kernel, tokenId)
        const begun = performance.now()
        const { interpretation, memory } = await kernel.run({ code, timeoutMs, signal: ending }).finally(endCall)
        const durationMs = Math.round(performance.now() - begun)
        const release = () => memory.release()
        return { interpretation, process: kernel.process, restartReason, durationMs, release }
      } finally {
        engine.meter.ended(computer.id, id)
      }
    } finally {
      endStart()
    }
  })
}
