import { StringDecoder } from 'node:string_decoder'

/**
 * A string of an answer that is not in memory as one: `writeJson` writes its pieces. Types take it for the string that it stands
 * for (`standsFor`).
 */
export class LargeText {
  readonly pieces: () => Iterable<string> | AsyncIterable<string>

  constructor(pieces: LargeText['pieces']) {
    this.pieces = pieces
  }

  /** Itself, where a schema says that there is a string. */
  get standsFor(): string {
    return this as unknown as string
  }
}

/** Bytes of UTF-8; what is none becomes U+FFFD. */
export function utf8Text(bytes: Buffer): LargeText {
  return new LargeText(function* () {
    const decoder = new StringDecoder('utf8')
    for (let at = 0; at < bytes.length; at += pieceBytes) yield decoder.write(bytes.subarray(at, at + pieceBytes))
    yield decoder.end()
  })
}

export function base64Text(bytes: Buffer): LargeText {
  return new LargeText(function* () {
    for (let at = 0; at < bytes.length; at += pieceBytes)
      yield bytes.toString('base64', at, Math.min(at + pieceBytes, bytes.length))
  })
}

/** A multiple of three, so that pieces of base64 fit together. */
export const pieceBytes = 48 * 1024
