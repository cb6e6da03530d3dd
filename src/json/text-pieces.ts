/** Pieces of long texts by the object or list that they are in. */
const kept = new WeakMap<object, Map<string, readonly string[]>>()

/**
 * Remembers in what pieces a long text was read. The text itself is there too, as a chain of them that costs nothing until somebody looks
 * at its characters: then the engine makes one string of it, in one go.
 */
export function keepPieces(owner: object, key: string, pieces: readonly string[]): void {
  const known = kept.get(owner)
  if (known) known.set(key, pieces)
  else kept.set(owner, new Map([[key, pieces]]))
}

/** The same fields in another object. */
export function sharePieces(from: object, to: object): void {
  const known = kept.get(from)
  if (known) kept.set(to, known)
}

/** A text of a body in pieces that can be worked on one after the other; a short one is one piece. */
export function piecesOf<Key extends string>(owner: Readonly<Record<Key, string>>, key: Key): readonly string[] {
  return kept.get(owner)?.get(key) ?? [owner[key]]
}

/** What is longer than this is remembered in pieces: to make one string of so much takes a millisecond. */
export const longTextLength = 1024 * 1024
