import { CarrelError } from '../../../errors.ts'

type Stream = 'stdout' | 'stderr'

/**
 * A position in a process's output, accurate to the byte. Between two pieces it is a number. Inside a piece, where a
 * character is not complete, it is `<number>+<bytes of stdout>+<bytes of stderr>`: the bytes delivered after the
 * number.
 */
export class ExactCursor {
  #base: number
  #ahead: Record<Stream, number>
  /** The bytes that are read again when output is followed from `start`. */
  readonly #repeated: Record<Stream, number>

  /** Throws `invalid_request` for a value that is not a cursor. */
  constructor(from: number | string) {
    const [, base, stdout = 0, stderr = 0] = pattern.exec(String(from)) ?? []
    if (base === undefined || Number(base) > Number.MAX_SAFE_INTEGER)
      throw new CarrelError('invalid_request', 'Cannot use field "cursor": it is not a cursor that came with output', {
        details: { field: 'cursor' },
      })
    this.#base = Number(base)
    this.#ahead = { stdout: Number(stdout), stderr: Number(stderr) }
    this.#repeated = { ...this.#ahead }
  }

  /** The position from which to follow the process; pass the output to `fresh`. */
  get start(): number {
    return this.#base
  }

  get value(): number | string {
    const { stdout, stderr } = this.#ahead
    return stdout + stderr === 0 ? this.#base : `${this.#base}+${stdout}+${stderr}`
  }

  /** Returns the part of some output that was not delivered before. */
  fresh(stream: Stream, data: Buffer): Buffer {
    const repeated = Math.min(this.#repeated[stream], data.length)
    this.#repeated[stream] -= repeated
    return data.subarray(repeated)
  }

  /** Records that a number of bytes of a stream were delivered, from a piece that is not delivered in full. */
  delivered(stream: Stream, bytes: number): void {
    this.#ahead[stream] += bytes
  }

  /** Records that everything before a position is delivered. */
  moveTo(base: number): void {
    this.#base = base
    this.#ahead = { ...this.#repeated }
  }

  /** Records that output before a position is missing: no output after it was delivered before. */
  skipTo(base: number): void {
    this.#repeated.stdout = 0
    this.#repeated.stderr = 0
    this.moveTo(base)
  }
}

const pattern = /^(\d{1,16})(?:\+(\d{1,9})\+(\d{1,9}))?$/
