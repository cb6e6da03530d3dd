import { isoTime, isoTimeOrNull } from '../iso-time.ts'
import type { ExitReason, OpenPort, ProcessExit, ProcessFacts } from '../../engine/types.ts'
import type { Interpreted } from '../../engine/computers/interpreters/interpret.ts'
import type { InterpretOutput } from '../../engine/computers/interpreters/interpretation.ts'
import type { Execution } from '../../engine/computers/processes/execute.ts'
import { CarrelError } from '../../errors.ts'
import { textOf } from '../../http/text-decoder.ts'
import { base64Text, pieceBytes } from '../../json/large-text.ts'
import { bytesOfBase64, bytesOfShortBase64 } from '../../text-bytes.ts'
import type { Slices } from '../../slices.ts'
import { isReserved } from './reserved-ports.ts'

export const runStatus = {
  exited: 'completed',
  disk_full: 'completed',
  signalled: 'killed',
  stopped: 'killed',
  out_of_credits: 'killed',
  spending_limit: 'killed',
  disconnected: 'killed',
  timeout: 'timeout',
  oom: 'oom',
  lost: 'lost',
} as const satisfies Record<ExitReason, string>

export function executeAnswerOf(execution: Execution, sessionId: string) {
  const { process, exit } = execution
  const stdout = textOf(execution.stdout)
  const stderr = textOf(execution.stderr)
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

export function interpretAnswerOf(
  { interpretation, restartReason, durationMs }: Interpreted,
  call: { language: string; sessionId: string },
) {
  const { status, outputs, error, executionCount, kernelLost, truncated } = interpretation
  const printed = (wanted: 'stdout' | 'stderr') =>
    outputs.map((output) => (output.kind === 'stream' && output.name === wanted ? output.text : '')).join('')
  return {
    status,
    ...call,
    results: outputs.map(resultOf),
    logs: { stdout: printed('stdout'), stderr: printed('stderr') },
    error: error ? { name: error.name, message: error.message, traceback: error.traceback } : null,
    executionCount,
    kernelRestarted: restartReason !== undefined,
    ...(restartReason === undefined ? {} : { restartReason }),
    kernelLost,
    truncated,
    durationMs,
  }
}

/** The richest form first. The document's images are base64, so SVG is encoded as base64 too. */
const resultTypes = [
  ['image', /^image\//],
  ['html', /^text\/html$/],
  ['json', /^application\/([\w.-]+\+)?json$/],
  ['text', /^(?!text\/plain$)/],
] as const

function resultOf(output: InterpretOutput) {
  if (output.kind === 'stream') return { type: 'text' as const, text: output.text, stream: output.name }
  if (output.kind === 'error') {
    const { name, message, traceback } = output
    return { type: 'error' as const, text: `${name}: ${message}`, name, message, traceback }
  }
  const { 'text/plain': plain, ...forms } = output.bundle
  const text = plain === undefined ? {} : { text: asString(plain) }
  const isMainResult = output.main
  for (const [type, pattern] of resultTypes) {
    const mimeType = Object.keys(forms).find((name) => pattern.test(name))
    if (mimeType === undefined) continue
    const { [mimeType]: value, ...others } = forms
    const data = type === 'image' ? imageOf(mimeType, asString(value)) : value
    const formats = Object.keys(others).length > 0 ? { formats: others } : {}
    const shown = type === 'text' ? { text: asString(value), ...text } : text
    return { type, ...shown, data, mimeType, isMainResult, ...formats }
  }
  return { type: 'text' as const, ...text, mimeType: 'text/plain', isMainResult }
}

/** Returns an image as base64, where IPython may have put a line end behind. */
function imageOf(mimeType: string, image: string): string {
  return mimeType === 'image/svg+xml' ? base64Of(image) : image.trimEnd()
}

function base64Of(text: string): string {
  const bytes = Buffer.from(text)
  return bytes.length <= pieceBytes ? bytes.toString('base64') : base64Text(bytes).standsFor
}

function asString(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
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

export function processOf(row: ProcessFacts) {
  return {
    processId: row.name,
    id: row.id,
    pid: row.pid,
    command: row.command,
    status: processStatus(row),
    exitCode: row.exit_code,
    signal: row.signal,
    reason: row.reason,
    startedAt: isoTime(row.started_at),
    endedAt: isoTimeOrNull(row.ended_at),
  }
}

export function portOf({ port, address, reachable, detectedAtMs }: OpenPort) {
  const canExpose = reachable && !isReserved(port)
  return { port, address, canExpose, detectedAt: isoTime(detectedAtMs) }
}

function processStatus(row: ProcessFacts) {
  if (row.state === 'running') return 'running' as const
  if (row.reason === 'signalled') return 'killed' as const
  const isEnded = row.reason === 'out_of_credits' || row.reason === 'spending_limit' || row.reason === 'disconnected'
  if (isEnded && row.signal !== null) return 'killed' as const
  // A process that exits by itself after it was asked to stop has an exit code of its own.
  if (isEnded || row.reason === 'exited' || row.reason === 'disk_full')
    return row.exit_code === 0 ? ('completed' as const) : ('failed' as const)
  return row.reason as 'timeout' | 'oom' | 'stopped' | 'lost'
}

/**
 * Decodes base64, ignoring white space and accepting missing padding. Rejects with `invalid_request` if the content
 * cannot be decoded in full.
 */
export async function fromBase64(content: readonly string[], slices: Slices): Promise<Buffer> {
  return (await bytesOfBase64(content, slices)) ?? refuseBase64('content')
}

/** Decodes a short base64 text as `fromBase64` does, synchronously. */
export function fromShortBase64(text: string, field: string): Buffer {
  return bytesOfShortBase64(text) ?? refuseBase64(field)
}

function refuseBase64(field: string): never {
  throw new CarrelError('invalid_request', `Cannot use field "${field}": it is not base64`, { details: { field } })
}
