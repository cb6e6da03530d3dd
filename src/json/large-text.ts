import { StringDecoder } from 'node:string_decoder'

/**
 * A string of an answer that is never in memory as a whole: `writeJson` writes it in pieces. `standsFor` gives it the
 * type of the string that it represents.
 */
export class LargeText {
  readonly pieces: () => Iterable<string> | AsyncIterable<string>

  constructor(pieces: LargeText['pieces']) {
    this.pieces = pieces
  }

  /** This object, typed as the string that a schema expects. */
  get standsFor(): string {
    return this as unknown as string
  }
}

/** Returns bytes as UTF-8 text; invalid bytes become U+FFFD. */
export function utf8Text(bytes: Buffer): LargeText {
  return new LargeText(function* () {
    const decoder = new StringDecoder('utf8')
    for (let at = 0; at < bytes.length; at += pieceBytes) yield decoder.write(bytes.subarray(at, at + pieceBytes))
    yield decoder.end()
  })
}

/** Returns bytes as base64 text. */
export function base64Text(bytes: Buffer): LargeText {
  return new LargeText(function* () {
    for (let at = 0; at < bytes.length; at += pieceBytes)
      yield bytes.toString('base64', at, Math.min(at + pieceBytes, bytes.length))
  })
}

/** A multiple of three, so that no piece of base64 needs padding before the last. */
export const pieceBytes = 48 * 1024
