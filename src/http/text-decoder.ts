import { isUtf8 } from 'node:buffer'
import { base64Text, pieceBytes, utf8Text } from '../json/large-text.ts'
import type { OutputRecord } from '../engine/types.ts'

/** Text of a process's two streams, chunk by chunk, that is never cut inside a character. */
export class OutputDecoder {
  readonly #begun: Record<OutputRecord['stream'], Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }

  decode({ stream, data }: OutputRecord): string {
    const bytes = this.#begun[stream].length > 0 ? Buffer.concat([this.#begun[stream], data]) : data
    const whole = bytes.length - begunBytes(bytes)
    // A copy: who gave the bytes may use their place again.
    this.#begun[stream] = Buffer.from(bytes.subarray(whole))
    return bytes.toString('utf8', 0, whole)
  }

  /** True while the beginning of a character waits for its rest. */
  get pending(): boolean {
    return this.heldBytes > 0
  }

  /** How many bytes of begun characters wait. */
  get heldBytes(): number {
    return this.#begun.stdout.length + this.#begun.stderr.length
  }

  /** What is left of a character that was never finished. */
  rest(): { stream: 'stdout' | 'stderr'; text: string }[] {
    return (['stdout', 'stderr'] as const)
      .map((stream) => ({ stream, text: this.#begun[stream].toString('utf8') }))
      .filter(({ text }) => text !== '')
  }
}

/** How many bytes at the end are the beginning of a character of UTF-8 that goes on behind them. */
export function begunBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf5 || byte < 0xc2 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return length > back ? back : 0
  }
  return 0
}

/** Bytes as text, and in base64 too when they are not UTF-8. */
export function asText(bytes: Buffer): { text: string; base64?: string } {
  const text = bytes.toString('utf8')
  return isUtf8(bytes) ? { text } : { text, base64: bytes.toString('base64') }
}

/** The same for an answer: what is large becomes text while it is sent. */
export function textOf(bytes: Buffer): { text: string; base64?: string } {
  if (bytes.length <= pieceBytes) return asText(bytes)
  const text = utf8Text(bytes).standsFor
  return isUtf8(bytes) ? { text } : { text, base64: base64Text(bytes).standsFor }
}
