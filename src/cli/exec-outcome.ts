import { constants } from 'node:os'
import type { ExecExit } from '../../sdk/index.ts'

/** The exit code for a program's end, and what a person has to be told about it. */
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
      return { exitCode: code ?? 1, sentences: [...sentences, 'The command ended since its computer was stopped'] }
    case 'out_of_credits':
      return {
        exitCode: code ?? 1,
        sentences: [...sentences, 'The command was ended: no credit is left; "carrel topup" adds to it'],
      }
    case 'spending_limit':
      return {
        exitCode: code ?? 1,
        sentences: [...sentences, 'The command was ended: a limit is used up; "carrel limits" shows it'],
      }
    case 'lost':
      return { exitCode: 255, sentences: [...sentences, 'Nothing is known of the end of the command: it was lost'] }
    default:
      return { exitCode: code ?? 1, sentences: [...sentences, `The command ended: ${String(reason)}`] }
  }
}

function signalCode(signal: string | null): number | undefined {
  const number = signal === null ? undefined : constants.signals[signal as NodeJS.Signals]
  return number === undefined ? undefined : 128 + number
}
