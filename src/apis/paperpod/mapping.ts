import type { ExitReason, OpenPort, ProcessExit, ProcessRow } from '../../engine/types.ts'
import type { Execution } from '../../engine/processes/execute.ts'
import { asText } from '../../http/text-decoder.ts'
import { isReserved } from './reserved-ports.ts'

const runStatus = {
  exited: 'completed',
  disk_full: 'completed',
  signalled: 'killed',
  stopped: 'killed',
  timeout: 'timeout',
  oom: 'oom',
  lost: 'lost',
} as const satisfies Record<ExitReason, string>

export function executeAnswerOf(execution: Execution, sessionId: string) {
  const { process, exit } = execution
  const stdout = asText(execution.stdout)
  const stderr = asText(execution.stderr)
  return {
    status: runStatus[exit.reason],
    processId: process.processId,
    sessionId,
    result: {
      stdout: stdout.text,
      stderr: stderr.text,
      ...(stdout.base64 === undefined ? {} : { stdoutBase64: stdout.base64 }),
      ...(stderr.base64 === undefined ? {} : { stderrBase64: stderr.base64 }),
      ...exitFieldsOf(exit, process.startedAtMs),
      truncated: execution.truncated,
    },
  }
}

export function exitFieldsOf(exit: ProcessExit, startedAtMs: number) {
  return {
    exitCode: exit.exitCode,
    signal: exit.signal,
    reason: exit.reason,
    truncated: exit.truncated,
    durationMs: exit.endedAtMs - startedAtMs,
  }
}

export function processOf(row: ProcessRow) {
  return {
    processId: row.name,
    id: row.id,
    pid: row.pid,
    command: row.command,
    status: processStatus(row),
    exitCode: row.exit_code,
    signal: row.signal,
    reason: row.reason,
    startedAt: new Date(row.started_at).toISOString(),
    endedAt: row.ended_at === null ? null : new Date(row.ended_at).toISOString(),
  }
}

export function portOf({ port, address, reachable, detectedAtMs }: OpenPort) {
  const canExpose = reachable && !isReserved(port)
  return { port, address, canExpose, detectedAt: new Date(detectedAtMs).toISOString() }
}

function processStatus(row: ProcessRow) {
  if (row.state === 'running') return 'running' as const
  if (row.reason === 'exited' || row.reason === 'disk_full')
    return row.exit_code === 0 ? ('completed' as const) : ('failed' as const)
  if (row.reason === 'signalled') return 'killed' as const
  return row.reason as 'timeout' | 'oom' | 'stopped' | 'lost'
}

/** A relative path is under /workspace. */
export function sandboxPath(path: string): string {
  return path.startsWith('/') ? path : `/workspace/${path}`
}
