import { isOutOfDescriptors } from '../../../errors.ts'

export type StartFailureCode = 'not_found' | 'conflict' | 'unavailable' | 'internal' | 'no_capacity'

/** A process that could not be started, by what the OCI runtime said. */
export class StartError extends Error {
  readonly code: StartFailureCode
  constructor(code: StartFailureCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Tells from a runtime's stderr why a process did not start: the caller's mistake, the computer's state, or a fault. */
export function startFailure(stderr: string): StartError {
  const said = stderr.trim().split('\n').at(-1) ?? ''
  // runc has threads, which count, and falls over with many words when it gets none.
  if (/pthread_create failed|newosproc/.test(stderr))
    return new StartError('unavailable', 'the computer has no room for another process')
  if (/no space left on device|disk quota exceeded/i.test(said)) return noRoom()
  if (/executable file|exec: "|not found in \$PATH|open executable/i.test(said))
    return new StartError('not_found', 'the program is not there or may not be executed')
  if (/chdir|cwd|working directory/i.test(said))
    return new StartError('not_found', 'the working directory is not there')
  if (/no such file or directory|permission denied/i.test(said)) return new StartError('not_found', said)
  if (/not running|does not exist|opening file .*status|is paused|invalid state/i.test(said))
    return new StartError('conflict', 'the computer is not running')
  if (/resource temporarily unavailable|cannot allocate memory|fork/i.test(said))
    return new StartError('unavailable', 'the computer has no room for another process')
  return new StartError('internal', said || 'the runtime said nothing')
}

/** What a failed system call of a start means when the host has no room for it; undefined for any other. */
export function noRoomFailure(error: unknown): StartError | undefined {
  if (isOutOfDescriptors(error)) return new StartError('no_capacity', 'the host has no free descriptor left')
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT' ? noRoom() : undefined
}

function noRoom(): StartError {
  return new StartError('no_capacity', 'the host has no room left for the files of a start')
}
