import { isUtf8 } from 'node:buffer'
import type { OutputRecord } from '../engine/types.ts'
import { StringDecoder } from 'node:string_decoder'

/** Text of a process's two streams, chunk by chunk, that is never cut inside a character. */
export class OutputDecoder {
  readonly #decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') }

  decode({ stream, data }: OutputRecord): string {
    return this.#decoders[stream].write(data)
  }

  /** What is left of a character that was never finished. */
  rest(): { stream: 'stdout' | 'stderr'; text: string }[] {
    return (['stdout', 'stderr'] as const)
      .map((stream) => ({ stream, text: this.#decoders[stream].end() }))
      .filter(({ text }) => text !== '')
  }
}

/** Bytes as text, and in base64 too when they are not UTF-8. */
export function asText(bytes: Buffer): { text: string; base64?: string } {
  const text = bytes.toString('utf8')
  return isUtf8(bytes) ? { text } : { text, base64: bytes.toString('base64') }
}
