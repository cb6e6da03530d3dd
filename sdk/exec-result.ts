import { Buffer } from 'node:buffer'
import type { ExecExit, OutputChannel } from './exec-messages.ts'
import type { ExecOutput } from './output-queue.ts'

export interface ExecResult extends ExecExit {
  stdout: string
  stderr: string
  /** The exact bytes, if they are not valid UTF-8. */
  stdoutBase64?: string
  stderrBase64?: string
}

/** As much as the server keeps. Beyond it the oldest output is dropped, which `truncated` reports. */
const maxChannelBytes = 64 * 1024 * 1024

/** Reads a session to its end and returns its output and exit. */
export async function collectResult(
  session: AsyncIterable<ExecOutput> & { exit: Promise<ExecExit> },
): Promise<ExecResult> {
  const channels: Record<OutputChannel, Tail> = { stdout: new Tail(), stderr: new Tail() }
  for await (const { channel, data } of session) channels[channel].push(data)
  const exit = await session.exit
  const stdout = channels.stdout.text()
  const stderr = channels.stderr.text()
  return {
    ...exit,
    truncated: exit.truncated || channels.stdout.isCut || channels.stderr.isCut,
    stdout: stdout.text,
    stderr: stderr.text,
    ...(stdout.base64 === undefined ? {} : { stdoutBase64: stdout.base64 }),
    ...(stderr.base64 === undefined ? {} : { stderrBase64: stderr.base64 }),
  }
}

/** The newest bytes of a channel. */
class Tail {
  isCut = false
  #chunks: Uint8Array[] = []
  #bytes = 0

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    while (this.#bytes > maxChannelBytes) {
      this.#bytes -= this.#chunks.shift()?.length ?? 0
      this.isCut = true
    }
  }

  text(): { text: string; base64?: string } {
    const bytes = Buffer.concat(this.#chunks)
    const text = bytes.toString('utf8')
    return isUtf8(bytes) ? { text } : { text, base64: bytes.toString('base64') }
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}
