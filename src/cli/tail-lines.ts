import type { ExecOutput } from '../../sdk/index.ts'

const lineFeed = 10

/** Keeps the last lines of some output, whichever channel they are on. A line without an end counts as one. */
export class TailLines {
  readonly #count: number
  #chunks: { output: ExecOutput; lineFeeds: number }[] = []
  #lineFeeds = 0

  constructor(count: number) {
    this.#count = count
  }

  push(output: ExecOutput): void {
    const lineFeeds = countLineFeeds(output.data)
    this.#chunks.push({ output, lineFeeds })
    this.#lineFeeds += lineFeeds
    // The line feed before the first line that is kept is in the first chunk.
    while (this.#chunks.length > 1 && this.#lineFeeds - this.#chunks[0]!.lineFeeds > this.#count)
      this.#lineFeeds -= this.#chunks.shift()!.lineFeeds
  }

  *[Symbol.iterator](): Generator<ExecOutput> {
    const endsInLine = this.#chunks.at(-1)?.output.data.at(-1) !== lineFeed
    let surplus = this.#lineFeeds + (endsInLine ? 1 : 0) - this.#count
    for (const { output, lineFeeds } of this.#chunks) {
      if (surplus > lineFeeds) surplus -= lineFeeds
      else {
        const data = output.data.subarray(afterLineFeeds(output.data, surplus))
        surplus = 0
        if (data.length > 0) yield { ...output, data }
      }
    }
  }
}

function countLineFeeds(data: Uint8Array): number {
  let count = 0
  for (let at = data.indexOf(lineFeed); at !== -1; at = data.indexOf(lineFeed, at + 1)) count++
  return count
}

/** Returns the index after a number of line feeds. */
function afterLineFeeds(data: Uint8Array, count: number): number {
  let at = 0
  for (let left = count; left > 0; left--) at = data.indexOf(lineFeed, at) + 1
  return at
}
