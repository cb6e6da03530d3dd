import { isUtf8 } from 'node:buffer'
import { base64Text, pieceBytes, utf8Text } from '../json/large-text.ts'
import type { OutputRecord } from '../engine/types.ts'

/** Decodes a process's two output streams chunk by chunk, without cutting a character. */
export class OutputDecoder {
  readonly #incomplete: Record<OutputRecord['stream'], Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }

  decode({ stream, data }: OutputRecord): string {
    const bytes = this.#incomplete[stream].length > 0 ? Buffer.concat([this.#incomplete[stream], data]) : data
    const whole = bytes.length - incompleteBytes(bytes)
    // A copy, because the caller may reuse its buffer.
    this.#incomplete[stream] = Buffer.from(bytes.subarray(whole))
    return bytes.toString('utf8', 0, whole)
  }

  /** Whether the beginning of a character waits for the rest. */
  get pending(): boolean {
    return this.heldBytes > 0
  }

  /** How many bytes of incomplete characters are held. */
  get heldBytes(): number {
    return this.#incomplete.stdout.length + this.#incomplete.stderr.length
  }

  /** Returns the rest of each stream: an incomplete character, as U+FFFD. */
  rest(): { stream: 'stdout' | 'stderr'; text: string }[] {
    return (['stdout', 'stderr'] as const)
      .map((stream) => ({ stream, text: this.#incomplete[stream].toString('utf8') }))
      .filter(({ text }) => text !== '')
  }
}

/** Returns how many bytes at the end begin a UTF-8 character that is not complete. */
export function incompleteBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf5 || byte < 0xc2 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return length > back ? back : 0
  }
  return 0
}

/** Returns bytes as text, and also in base64 when they are not UTF-8. */
export function asText(bytes: Buffer): { text: string; base64?: string } {
  const text = bytes.toString('utf8')
  return isUtf8(bytes) ? { text } : { text, base64: bytes.toString('base64') }
}

/** Does the same for a response: large output becomes text while it is sent. */
export function textOf(bytes: Buffer): { text: string; base64?: string } {
  if (bytes.length <= pieceBytes) return asText(bytes)
  const text = utf8Text(bytes).standsFor
  return isUtf8(bytes) ? { text } : { text, base64: base64Text(bytes).standsFor }
}
