import { CarrelError } from '../../errors.ts'
import { limits } from '../../config/limits.ts'
import type { OutputChunk, OutputPiece } from '../driver.ts'

/** The kept output of a process: all of it, or the newest part. Cursors count its bytes. */
export class KeptOutput {
  #pieces: OutputPiece[] = []
  /**
   * The index of the first piece that is kept. Dropped pieces before it are removed from the array from time to time.
   */
  #first = 0
  #keptBytes = 0
  end = 0
  truncated = false

  get keptBytes(): number {
    return this.#keptBytes
  }

  add(stream: OutputPiece['stream'], data: Buffer): void {
    for (let at = 0; at < data.length; at += maxPieceBytes) {
      const part = data.subarray(at, at + maxPieceBytes)
      this.#pieces.push({ stream, data: part, start: this.end, cursor: this.end + part.length })
      this.end += part.length
      this.#keptBytes += part.length
    }
    while (this.#keptBytes - this.#pieces[this.#first]!.data.length >= limits.keptOutputBytes) this.#drop()
  }

  /**
   * Throws `invalid_request` for a cursor that is not at the boundary of a piece. A cursor before all kept output is
   * accepted, and stands for its start.
   */
  check(cursor: number): void {
    const start = this.#pieces[this.#first]?.start ?? 0
    if (
      cursor === 0 ||
      cursor === this.end ||
      (this.truncated && cursor <= start) ||
      this.#indexAt(cursor) !== undefined
    )
      return
    throw new CarrelError('invalid_request', 'Cannot use field "cursor": it is not a cursor that came with output', {
      details: { field: 'cursor' },
    })
  }

  /** Returns output from a cursor on: at most `maxBytes`, but at least one piece. */
  read(cursor: number, maxBytes: number): Omit<OutputChunk, 'done'> {
    const start = this.#pieces[this.#first]?.start ?? 0
    const records: OutputPiece[] = []
    let bytes = 0
    for (
      let index = this.#indexAt(Math.max(cursor, start)) ?? this.#pieces.length;
      index < this.#pieces.length;
      index++
    ) {
      const piece = this.#pieces[index]!
      if (records.length > 0 && bytes + piece.data.length > maxBytes) break
      records.push(piece)
      bytes += piece.data.length
    }
    return { records, cursor: records.at(-1)?.cursor ?? this.end, truncated: this.truncated && cursor < start }
  }

  #drop(): void {
    this.#keptBytes -= this.#pieces[this.#first]!.data.length
    this.truncated = true
    if (++this.#first < 1024) return
    this.#pieces = this.#pieces.slice(this.#first)
    this.#first = 0
  }

  /** Returns the index of the piece that begins at a cursor. */
  #indexAt(cursor: number): number | undefined {
    let [low, high] = [this.#first, this.#pieces.length - 1]
    while (low <= high) {
      const middle = (low + high) >> 1
      const { start } = this.#pieces[middle]!
      if (start === cursor) return middle
      if (start < cursor) low = middle + 1
      else high = middle - 1
    }
    return undefined
  }
}

const maxPieceBytes = 64 * 1024
