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
  // First, as it can be the reason why a program could not be executed.
  if (/(resource temporarily unavailable|cannot allocate memory)$/i.test(said)) return noProcess()
  // runc has threads, which count, and falls over with many words when it gets none.
  if (/pthread_create failed|newosproc/.test(stderr)) return noProcess()
  // A runtime that could not make a process, or was ended while it did, cannot say so.
  if (
    said === '' ||
    said === 'fail startup' ||
    /(no such process|broken pipe|connection reset by peer)$|sync socket/i.test(said)
  )
    return endedFailure()
  if (/no space left on device|disk quota exceeded/i.test(said)) return noRoom()
  if (/executable file|exec: "|not found in \$PATH|open executable/i.test(said))
    return new StartError('not_found', 'the program is not there or may not be executed')
  if (/chdir|cwd|working directory/i.test(said))
    return new StartError('not_found', 'the working directory is not there')
  if (/no such file or directory|permission denied/i.test(said)) return new StartError('not_found', said)
  if (/is paused/i.test(said)) return new PausedError()
  if (/not running|does not exist|opening file .*status|invalid state/i.test(said))
    return new StartError('conflict', 'the computer is not running')
  if (/resource temporarily unavailable|cannot allocate memory|fork/i.test(said)) return noProcess()
  return new StartError('internal', said)
}

/** Why the first process of a computer did not start: lack of something, or a fault, as nothing of it is the caller's choice. */
export function containerFailure(stderr: string): StartError {
  const failure = startFailure(stderr)
  if (failure.code === 'unavailable' || failure.code === 'no_capacity') return failure
  return new StartError('internal', stderr.trim())
}

/** The runtime, or what it was about to become the program, was ended: by the kernel for lack of memory, or from inside. */
export function endedFailure(isLate = false): StartError {
  const why = isLate ? 'it took too long' : 'it was ended while it was started'
  return new StartError(
    'unavailable',
    `${why}: the computer has no room for another process, or a program in it got in the way`,
  )
}

/** A computer is paused by its owner, or for the moment in which a tree of its processes is ended. */
export class PausedError extends StartError {
  constructor() {
    super('conflict', 'the computer is paused')
  }
}

/** What a failed system call of a start means when the host has no room for it; undefined for any other. */
export function noRoomFailure(error: unknown): StartError | undefined {
  if (isOutOfDescriptors(error)) return new StartError('no_capacity', 'the host has no free descriptor left')
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT' ? noRoom() : undefined
}

function noProcess(): StartError {
  return new StartError('unavailable', 'the computer or its host has no room for another process')
}

function noRoom(): StartError {
  return new StartError('no_capacity', 'the host has no room left for the files of a start')
}
