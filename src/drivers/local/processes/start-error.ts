import { CarrelError } from '../../../errors.ts'
import type { ExecSpec } from '../../driver.ts'

/** Returns the error of a failed start with the program and the computer in its message. */
export function startError(spec: ExecSpec, computerId: string, error: unknown): unknown {
  if (!(error instanceof CarrelError)) return error
  const program = JSON.stringify((spec.argv[0] ?? '').slice(0, 200))
  // A message of the runtime can name folders of the host. It goes to the log, as the cause.
  const isPrivate = error.code === 'internal' || namesHost.test(error.message)
  const reason = isPrivate ? 'the container runtime failed' : error.message
  return new CarrelError(error.code, `Cannot start ${program} on computer "${computerId}": ${reason}`, {
    details: { computerId, cwd: spec.cwd },
    cause: error,
  })
}

const namesHost = /\/(run|sys)\//
