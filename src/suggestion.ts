/**
 * Returns `: did you mean "…"?` with the nearest candidate, or an empty text if none is near. `otherNames` maps other
 * names to candidates.
 */
export function suggestion(word: string, candidates: string[], otherNames: Record<string, string> = {}): string {
  const known = Object.hasOwn(otherNames, word) ? otherNames[word] : undefined
  const nearest = known ?? nearestOf(word, candidates)
  return nearest === undefined ? '' : `: did you mean "${nearest}"?`
}

/** Returns the candidate that is a few typing errors away from a word; undefined if none is near. */
export function nearestOf(word: string, candidates: readonly string[]): string | undefined {
  let nearest: string | undefined
  let minDistance = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate)
    if (distance < minDistance) [nearest, minDistance] = [candidate, distance]
  }
  return nearest
}

/** Returns the number of inserted, deleted, replaced and swapped characters. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1]
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current[column] = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwap ? (beforePrevious[column - 2] ?? 0) + 1 : Infinity,
      )
    }
    beforePrevious = previous
    previous = current
  }
  return previous[b.length] ?? 0
}
