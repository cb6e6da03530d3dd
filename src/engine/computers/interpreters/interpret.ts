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
  /** Counts from when the code begins to run, not while it waits for its turn. */
  timeoutMs: number
  /** Aborts when nobody waits for the answer any more: code that runs is interrupted. */
  signal: AbortSignal
}

export interface Interpreted {
  interpretation: Interpretation
  /** The kernel's. */
  process: ProcessHandle
  /** Why the kernel before ended, when this call got a new one in its place. */
  restartReason: string | undefined
  /** Of the code, without its wait and the start of the kernel. */
  durationMs: number
  /** To be called when the answer has gone out. */
  release: () => void
}

/**
 * Runs code in the kernel that a computer has for its language: what it defines stays for the next call. A kernel that
 * nobody calls does not keep its computer from the idle stop.
 */
export async function interpret(
  engine: ComputersContext,
  computer: AccessibleComputer<'run'>,
  { language, code, timeoutMs, signal }: InterpretOptions,
): Promise<Interpreted> {
  const { tokenId } = computer.caller
  // Of a server that ends, the next one would find code that runs for nobody.
  const ending = AbortSignal.any([signal, engine.server.closing])
  return engine.kernels.inTurn(computer.id, language, async () => {
    if (ending.aborted) throw new CarrelError('unavailable', 'Cannot run the code: nobody waits for it any more')
    const hasBegun = await beginPaid(engine, computer)
    try {
      // A kernel that waits costs nothing: each call is counted for itself, with the start of the kernel where it needs one.
      const id = newId()
      engine.meter.began(computer.id, id, tokenId)
      try {
        const { kernel, restartReason } = await engine.kernels.find(engine, computer, language)
        const hasReturned = engine.kernels.calling(kernel, tokenId)
        const begun = performance.now()
        const { interpretation, memory } = await kernel.run({ code, timeoutMs, signal: ending }).finally(hasReturned)
        const durationMs = Math.round(performance.now() - begun)
        const release = () => memory.release()
        return { interpretation, process: kernel.process, restartReason, durationMs, release }
      } finally {
        engine.meter.ended(computer.id, id)
      }
    } finally {
      hasBegun()
    }
  })
}
