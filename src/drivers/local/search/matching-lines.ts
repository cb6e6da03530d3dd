import type { SearchMatch } from '../../driver.ts'

interface Bounds {
  maxMatches: number
  maxBytes: number
}

/** Reads what ripgrep prints with `--null`: path, NUL, number, colon and line. */
export class MatchingLines {
  readonly matches: SearchMatch[] = []
  /** Whether there is more than the bounds allow. */
  isFull = false
  readonly #bounds: Bounds
  readonly #pathOf: (printed: string) => string
  #rest: Buffer = Buffer.alloc(0)
  #bytes = 0

  /** @param pathOf returns the path of a file in the computer from the printed one */
  constructor(bounds: Bounds, pathOf: (printed: string) => string) {
    this.#bounds = bounds
    this.#pathOf = pathOf
  }

  take(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    while (!this.isFull) {
      const nul = bytes.indexOf(0)
      // The name of a file may have line ends; a message that names no line has no NUL.
      const end = nul < 0 ? -1 : bytes.indexOf(lineEnd, nul)
      if (end < 0) break
      this.#add(bytes.toString('utf8', 0, nul), bytes.toString('utf8', nul + 1, end))
      bytes = bytes.subarray(end + 1)
    }
    this.#rest = Buffer.from(bytes)
    if (this.#rest.length > maxLineBytes) this.isFull = true
  }

  #add(printed: string, found: string): void {
    const [, line, text] = /^(\d+):([^]*)$/.exec(found) ?? []
    if (line === undefined || text === undefined) return
    this.#bytes += printed.length + found.length
    if (this.matches.length >= this.#bounds.maxMatches || this.#bytes > this.#bounds.maxBytes) this.isFull = true
    else this.matches.push({ path: this.#pathOf(printed), line: Number(line), text })
  }
}

const lineEnd = 0x0a
/** More than the longest path and the longest part of a line that is printed. */
const maxLineBytes = 256 * 1024
