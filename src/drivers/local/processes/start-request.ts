import { checkArguments } from '../../check-arguments.ts'
import type { ExecSpec } from '../../driver.ts'
import { processObject } from '../containers/config.ts'
import { markerVariable } from '../monitor/process-tree.ts'
import type { CgroupFiles, StartRequest } from '../monitor/protocol.ts'
import type { Paths } from '../paths.ts'
import { resolveUser } from './resolve-user.ts'

interface Options {
  paths: Pick<Paths, 'root' | 'process'>
  /** The first part of the runtime's command line. */
  execCommand: string[]
  cgroupFiles: (computerId: string) => CgroupFiles
}

/**
 * Returns what the monitor has to know to start a process. Throws `not_found` for an unknown user, `conflict` for
 * broken account files, and `invalid_request` or `too_large` for arguments that the kernel does not accept.
 */
export function startRequest(
  { paths, execCommand, cgroupFiles }: Options,
  computerId: string,
  spec: ExecSpec,
  streams?: StartRequest['streams'],
): StartRequest {
  const { processId, owner, argv, cwd, stdin, tty, timeoutMs, meta } = spec
  const user = resolveUser(paths.root(computerId), spec.user)
  const own = { HOME: user.home, USER: user.name, LOGNAME: user.name, SHELL: user.shell }
  // The marker is among the first variables, where `process-tree.ts` looks for it, and cannot be overridden.
  const env: Record<string, string> = { ...own, [markerVariable]: processId, ...spec.env }
  env[markerVariable] = processId
  checkArguments(argv, env)
  return {
    processId,
    computerId,
    owner,
    directory: paths.process(processId),
    command: execCommand,
    spec: processObject({ ...user, argv, env, cwd, tty }),
    stdin,
    streams,
    tty,
    timeoutMs,
    aheadBytes: spec.backpressure ? (tty ? terminalAheadBytes : pipeAheadBytes) : undefined,
    meta,
    cgroup: cgroupFiles(computerId),
  }
}

/** How far a process may be ahead of the reader of its output: well below what its journal retains. */
const pipeAheadBytes = 8 * 1024 * 1024
/** Smaller for a terminal, where the answer to a key comes after all output that is ahead. */
const terminalAheadBytes = 1024 * 1024
