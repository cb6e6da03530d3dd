import type { Slices } from '../../../slices.ts'

/**
 * Returns the places of a text in another, from the left, without overlaps. Takes time in proportion to the two lengths
 * (Knuth, Morris and Pratt), whatever the texts are: `Buffer.indexOf` takes their product for some.
 */
export async function occurrences(text: Buffer, wanted: Buffer, slices: Slices): Promise<number[]> {
  const found: number[] = []
  if (wanted.length > text.length) return found
  const fallback = await fallbacks(wanted, slices)
  let matched = 0
  for (let at = 0, steps = 0; at < text.length; at++) {
    if (++steps % checkedSteps === 0 && slices.isOver) await slices.next()
    if (matched === 0) {
      const next = text.indexOf(wanted[0]!, at)
      if (next < 0) break
      at = next
    }
    while (matched > 0 && text[at] !== wanted[matched]) matched = fallback[matched - 1]!
    if (text[at] === wanted[matched]) matched++
    if (matched === wanted.length) {
      found.push(at + 1 - matched)
      matched = 0
    }
  }
  return found
}

/** Returns, for each length of a beginning, how long a shorter beginning is at its end. */
async function fallbacks(wanted: Buffer, slices: Slices): Promise<Uint32Array> {
  const lengths = new Uint32Array(wanted.length)
  let matched = 0
  for (let at = 1; at < wanted.length; at++) {
    while (matched > 0 && wanted[at] !== wanted[matched]) matched = lengths[matched - 1]!
    if (wanted[at] === wanted[matched]) matched++
    lengths[at] = matched
    if (at % checkedSteps === 0 && slices.isOver) await slices.next()
  }
  return lengths
}

/** As few as take less than a slice. */
const checkedSteps = 16 * 1024
