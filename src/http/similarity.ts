/** Returns at most three candidates that resemble a word, the most similar first. */
export function mostSimilar<T>(word: string, candidates: readonly T[], textOf: (candidate: T) => string): T[] {
  const pairs = pairsOf(word)
  return candidates
    .map((candidate) => ({ candidate, similarity: similarity(pairs, pairsOfKnown(textOf(candidate))) }))
    .filter((one) => one.similarity >= minSimilarity)
    .toSorted((a, b) => b.similarity - a.similarity)
    .slice(0, maxResults)
    .map(({ candidate }) => candidate)
}

/** Returns the share of letter pairs that two texts have in common (the Sørensen–Dice coefficient), 0 to 1. */
function similarity(pairs: Set<string>, others: Set<string>): number {
  return (2 * pairs.intersection(others).size) / (pairs.size + others.size || 1)
}

const known = new Map<string, Set<string>>()

/** Caches the pairs of candidates: they are routes and fields of this program, and therefore few. */
function pairsOfKnown(text: string): Set<string> {
  let pairs = known.get(text)
  if (!pairs) known.set(text, (pairs = pairsOf(text)))
  return pairs
}

function pairsOf(text: string): Set<string> {
  const letters = text.toLowerCase().slice(0, maxLetters)
  return new Set(Array.from({ length: Math.max(0, letters.length - 1) }, (_, at) => letters.slice(at, at + 2)))
}

const minSimilarity = 0.55
const maxResults = 3
/** No route or field is nearly this long. */
const maxLetters = 100
