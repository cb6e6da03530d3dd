/** Pieces of long texts, by the object or list that holds the text. */
const kept = new WeakMap<object, Map<string, readonly string[]>>()

/**
 * Remembers the pieces in which a long text was read. The text itself exists too, as a rope of the pieces that costs
 * nothing until its characters are read: then the JavaScript engine flattens it in one go.
 */
export function keepPieces(owner: object, key: string, pieces: readonly string[]): void {
  const known = kept.get(owner)
  if (known) known.set(key, pieces)
  else kept.set(owner, new Map([[key, pieces]]))
}

/** Gives a copy of an object the pieces of the original. */
export function sharePieces(from: object, to: object): void {
  const known = kept.get(from)
  if (known) kept.set(to, known)
}

/** Returns a text of a body in pieces that can be handled one after the other; a short text is one piece. */
export function piecesOf<Key extends string>(owner: Readonly<Record<Key, string>>, key: Key): readonly string[] {
  return kept.get(owner)?.get(key) ?? [owner[key]]
}

/** Texts longer than this are remembered in pieces: flattening this much takes a millisecond. */
export const longTextLength = 1024 * 1024
