/** Those candidates that are most like a word that is none of them, the nearest first, three at most. */
export function nearTo<T>(word: string, candidates: readonly T[], textOf: (candidate: T) => string): T[] {
  const pairs = pairsOf(word)
  return candidates
    .map((candidate) => ({ candidate, likeness: likeness(pairs, pairsOfKnown(textOf(candidate))) }))
    .filter((one) => one.likeness >= minLikeness)
    .toSorted((a, b) => b.likeness - a.likeness)
    .slice(0, maxNear)
    .map(({ candidate }) => candidate)
}

/** The share of pairs of neighbouring letters that two texts have in common (Dice's coefficient), 0 to 1. */
function likeness(pairs: Set<string>, others: Set<string>): number {
  return (2 * pairs.intersection(others).size) / (pairs.size + others.size || 1)
}

const known = new Map<string, Set<string>>()

/** Candidates are routes and fields of this program, so that there are few. */
function pairsOfKnown(text: string): Set<string> {
  let pairs = known.get(text)
  if (!pairs) known.set(text, (pairs = pairsOf(text)))
  return pairs
}

function pairsOf(text: string): Set<string> {
  const letters = text.toLowerCase().slice(0, maxLetters)
  return new Set(Array.from({ length: Math.max(0, letters.length - 1) }, (_, at) => letters.slice(at, at + 2)))
}

const minLikeness = 0.55
const maxNear = 3
/** No route and no field is nearly as long. */
const maxLetters = 100
