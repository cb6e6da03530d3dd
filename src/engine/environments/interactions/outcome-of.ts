import type { ExitReason, ProcessExit } from '../../../drivers/driver.ts'

/** How an interaction ended, as its row says it. */
export interface Outcome {
  status: 'completed' | 'error'
  reason: ExitReason | null
  exitCode: number
  success: boolean
  message: string | null
}

/** The exit code of a command whose end is the server's doing, and not the command's. The message says why. */
export const failedExitCode = -1000
/** The exit code of a command that was ended at its time limit, as of `timeout`. */
export const timeoutExitCode = 124

/** Returns how the interaction of a process ended. */
export function outcomeOf(exit: ProcessExit, timeoutMs: number | undefined): Outcome {
  const { reason } = exit
  if (reason === 'timeout') return completed(reason, timeoutExitCode, timeoutMessage(timeoutMs))
  const failure = failures[reason]
  if (failure !== undefined || exit.exitCode === null)
    return failed(`The command did not end by itself: ${failure ?? 'its end is unknown'}`, reason)
  return completed(reason, exit.exitCode, reason === 'signalled' ? `Ended by ${exit.signal}` : (notes[reason] ?? null))
}

export function failed(message: string, reason: ExitReason | null = null): Outcome {
  return { status: 'error', reason, exitCode: failedExitCode, success: false, message }
}

function completed(reason: ExitReason, exitCode: number, message: string | null): Outcome {
  return { status: 'completed', reason, exitCode, success: exitCode === 0, message }
}

function timeoutMessage(timeoutMs: number | undefined): string {
  const limit = timeoutMs === undefined ? 'its time limit' : `its time limit, ${timeoutMs / 1000} s`
  return `The command was ended with everything that it had started: it reached ${limit}`
}

const failures: Partial<Record<ExitReason, string>> = {
  stopped: 'the session has ended',
  lost: 'its process was lost',
  out_of_credits: 'the account has no credit left',
  spending_limit: 'a spending limit is used up',
  disconnected: 'its client has left',
}

const notes: Partial<Record<ExitReason, string>> = {
  oom: 'A process of the command was killed for lack of memory',
  disk_full: 'The disk of the session is full',
}
