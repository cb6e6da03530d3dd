import type { ExecExit } from '../../sdk/index.ts'

/** Returns the exit code for the end of a program, and what the user has to know about it. */
export function outcomeOf(
  { exitCode, signal, reason, truncated }: ExecExit,
  timeoutMs?: number,
): { exitCode: number; sentences: string[] } {
  const sentences = truncated ? ['Some output may be missing: there was more than the server keeps'] : []
  const code = exitCode ?? signalCode(signal)
  switch (reason) {
    case 'exited':
    case 'signalled':
      return { exitCode: code ?? 1, sentences }
    case 'timeout': {
      const limit = timeoutMs === undefined ? '' : ` of ${timeoutMs} ms`
      return { exitCode: 124, sentences: [...sentences, `The command was killed at its time limit${limit}`] }
    }
    case 'oom':
      return { exitCode: code ?? 137, sentences: [...sentences, 'The command was killed: out of memory'] }
    case 'disk_full':
      return { exitCode: code ?? 1, sentences: [...sentences, 'The command was killed: the disk is full'] }
    case 'stopped':
      return { exitCode: code ?? 1, sentences: [...sentences, 'The command ended because its computer was stopped'] }
    case 'out_of_credits':
      return {
        exitCode: code ?? 1,
        sentences: [...sentences, 'The command was ended: no credit is left; "carrel topup" adds some'],
      }
    case 'spending_limit':
      return {
        exitCode: code ?? 1,
        sentences: [...sentences, 'The command was ended: a spending limit is used up; "carrel limits" shows it'],
      }
    case 'disconnected':
      return { exitCode: code ?? 1, sentences: [...sentences, 'The command was ended: its client was gone'] }
    case 'lost':
      return { exitCode: 255, sentences: [...sentences, 'The command was lost: how it ended is unknown'] }
    default:
      return { exitCode: code ?? 1, sentences: [...sentences, `The command ended: ${String(reason)}`] }
  }
}

function signalCode(signal: string | null): number | undefined {
  const at = signal === null ? -1 : linuxSignals.indexOf(signal.replace(/^SIG/, ''))
  return at === -1 ? undefined : 129 + at
}

/** The signals of Linux from 1 on, as other systems number some of theirs differently. */
const linuxSignals = (
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG ' +
  'XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'
).split(' ')
