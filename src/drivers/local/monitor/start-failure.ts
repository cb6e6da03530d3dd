import { isOutOfDescriptors } from '../../../errors.ts'

export type StartFailureCode = 'not_found' | 'conflict' | 'unavailable' | 'internal' | 'no_capacity'

/** A process could not be started. */
export class StartError extends Error {
  readonly code: StartFailureCode
  constructor(code: StartFailureCode, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Returns why a process did not start, from the runtime's stderr: a wrong request, the computer's state, or a failure.
 */
export function startFailure(stderr: string): StartError {
  const lastLine = stderr.trim().split('\n').at(-1) ?? ''
  // Checked first, as this can be the reason why a program could not be executed.
  if (/(resource temporarily unavailable|cannot allocate memory)$/i.test(lastLine)) return noProcess()
  // runc has threads, which count, and crashes with a long trace when it gets none.
  if (/pthread_create failed|newosproc/.test(stderr)) return noProcess()
  // A runtime that could not create a process, or was killed meanwhile, cannot report that.
  if (
    lastLine === '' ||
    lastLine === 'fail startup' ||
    /(no such process|broken pipe|connection reset by peer)$|sync socket/i.test(lastLine)
  )
    return endedFailure()
  if (/no space left on device|disk quota exceeded/i.test(lastLine)) return noSpace()
  if (/executable file|exec: "|not found in \$PATH|open executable/i.test(lastLine))
    return new StartError('not_found', 'the program does not exist or may not be executed')
  if (/chdir|cwd|working directory/i.test(lastLine))
    return new StartError('not_found', 'the working directory does not exist')
  if (/no such file or directory|permission denied/i.test(lastLine)) return new StartError('not_found', lastLine)
  if (/is paused/i.test(lastLine)) return new PausedError()
  if (/not running|does not exist|opening file .*status|invalid state/i.test(lastLine))
    return new StartError('conflict', 'the computer is not running')
  if (/resource temporarily unavailable|cannot allocate memory|fork/i.test(lastLine)) return noProcess()
  return new StartError('internal', lastLine)
}

/** Returns why a computer did not start: lack of resources, or a failure, as no part of it is the caller's choice. */
export function containerFailure(stderr: string): StartError {
  const failure = startFailure(stderr)
  if (failure.code === 'unavailable' || failure.code === 'no_capacity') return failure
  return new StartError('internal', stderr.trim())
}

/** The runtime, or its child that was to become the program, was killed: for lack of memory, or from inside. */
export function endedFailure(isLate = false): StartError {
  const why = isLate ? 'the start took too long' : 'the process was killed during its start'
  return new StartError(
    'unavailable',
    `${why}: the computer has no room for another process, or a program in it interfered`,
  )
}

/** The computer is paused: by its owner, or briefly while a tree of its processes is being ended. */
export class PausedError extends StartError {
  constructor() {
    super('conflict', 'the computer is paused')
  }
}

/** Returns the failure for a system call that lacked descriptors or disk space; undefined for any other error. */
export function capacityFailure(error: unknown): StartError | undefined {
  if (isOutOfDescriptors(error)) return new StartError('no_capacity', 'the host has no free descriptor left')
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT' ? noSpace() : undefined
}

function noProcess(): StartError {
  return new StartError('unavailable', 'the computer or its host has no room for another process')
}

function noSpace(): StartError {
  return new StartError('no_capacity', 'the host has no disk space left for the files of a start')
}
