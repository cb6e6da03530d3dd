import { hintFor } from './hints.ts'
import { Interrupted, StoppedBySignal } from './interrupted.ts'
import { BrokenPipe } from './output.ts'
import { printable } from './printable.ts'
import type { Program } from './program.ts'
import { UsageError } from './usage-error.ts'

interface Failure {
  message: string
  code?: string | undefined
  action?: string | undefined
  /** What to do next. */
  instruction?: string | undefined
  requestId?: string | undefined
}

/** Reports an error on stderr. Resolves with the exit code. */
export async function reportFailure(program: Program, error: unknown, asJson: boolean): Promise<number> {
  // Quietly, like a program that the signal has ended.
  if (error instanceof BrokenPipe) return 141
  if (error instanceof Interrupted) return 130
  const failure = describe(program, error)
  await program.stderr.write(asJson ? toJson(failure) : toText(program, failure)).catch(() => {})
  if (error instanceof UsageError) return exitCodes.usage
  if (error instanceof StoppedBySignal) return error.exitCode
  // Other exit codes of exec are those of the command.
  return program.verb === 'exec' ? exitCodes.exec : exitCodes.failed
}

/** Exit codes for errors in Carrel or on the way to it. */
const exitCodes = { failed: 1, usage: 2, exec: 255 } as const

function describe(program: Program, error: unknown): Failure {
  if (!(error instanceof Error)) return { message: String(error) }
  const { name, code, message } = error as Error & { code?: string }
  if (name === 'UsageError') {
    const { name, verb } = program
    return { message, code: 'USAGE', instruction: `See "${verb ? `${name} ${verb} --help` : `${name} help`}".` }
  }
  if (name === 'CarrelApiError') return describeRefusal(program, error)
  if (name === 'CarrelConnectionError') return describeConnection(error as Error & { url: string })
  // A system error about a local file.
  const { path, syscall } = error as NodeJS.ErrnoException
  if (syscall && path) return { message: `Cannot ${syscall} "${path}": ${reasons[code ?? ''] ?? code}`, code }
  return { message, code }
}

const reasons: Record<string, string> = {
  ENOENT: 'the file does not exist',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  ENOSPC: 'the disk is full',
}

function describeRefusal(program: Program, error: Error): Failure {
  const {
    message,
    code = '',
    action,
    agentInstruction,
    requestId,
  } = error as Error & Record<string, string | undefined>
  const { details, retryAfterMs } = error as Error & { details?: Record<string, unknown>; retryAfterMs?: number }
  if (code.startsWith('HTTP_')) return { message, code, instruction: notCarrel }
  if (code !== 'UNAUTHENTICATED') {
    const instruction = hintFor(program, code, { ...details, retryAfterMs }) ?? agentInstruction
    return { message, code, action, instruction, requestId }
  }
  const instruction = program.tokenSource
    ? `The token from ${program.tokenSource} was refused: "${program.name} login <token>" saves another.`
    : `No token was found: "${program.name} login <token>" saves one.`
  return { message, code, action, instruction, requestId }
}

const notCarrel = 'The answer is not from a Carrel server, or a proxy stands in between: check the address.'

function describeConnection({ message, code, url }: Error & { code?: string | undefined; url: string }): Failure {
  if (code !== 'ECONNREFUSED') return { message, code, instruction: 'Check the address and the network.' }
  const server = new URL(url.replace(/^ws/, 'http')).origin
  const todo = 'start the server with "npm start", or name another with --url'
  return { message: `Nothing answers at ${server}: ${todo}` }
}

function toText(program: Program, { message, code, instruction, requestId }: Failure): string {
  const isSpoken = code !== undefined && code !== 'USAGE'
  const lines = [`${program.name}: ${message}${isSpoken ? ` (${code})` : ''}`]
  if (instruction) lines.push(`  ${instruction}`)
  if (requestId && code === 'INTERNAL') lines.push(`  Request: ${requestId}`)
  return lines.map((line) => `${printable(line)}\n`).join('')
}

function toJson({ message, instruction, ...more }: Failure): string {
  return `${JSON.stringify({ error: message, ...more, agentInstruction: instruction })}\n`
}
