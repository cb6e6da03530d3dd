import { CarrelError } from '../../../errors.ts'

type Stream = 'stdout' | 'stderr'

/**
 * A place in a process's output to the byte. It is a number between two pieces; inside one, where a character is not
 * whole yet, `<number>+<bytes of stdout>+<bytes of stderr>` that came behind it.
 */
export class ExactCursor {
  #base: number
  #ahead: Record<Stream, number>
  /** What comes again when somebody reads on from here. */
  readonly #repeated: Record<Stream, number>

  /** Throws an `invalid_request` for what was never one. */
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

  /** Where to follow the process from; what then comes goes through `fresh`. */
  get start(): number {
    return this.#base
  }

  get value(): number | string {
    const { stdout, stderr } = this.#ahead
    return stdout + stderr === 0 ? this.#base : `${this.#base}+${stdout}+${stderr}`
  }

  /** The part of some output that was not there before. */
  fresh(stream: Stream, data: Buffer): Buffer {
    const repeated = Math.min(this.#repeated[stream], data.length)
    this.#repeated[stream] -= repeated
    return data.subarray(repeated)
  }

  /** So many bytes of a stream were delivered, of a piece that is not all delivered. */
  delivered(stream: Stream, bytes: number): void {
    this.#ahead[stream] += bytes
  }

  /** All is delivered that lies before this place. */
  moveTo(base: number): void {
    this.#base = base
    this.#ahead = { ...this.#repeated }
  }

  /** Output is missing before this place: nothing comes again behind it. */
  skipTo(base: number): void {
    this.#repeated.stdout = 0
    this.#repeated.stderr = 0
    this.moveTo(base)
  }
}

const pattern = /^(\d{1,16})(?:\+(\d{1,9})\+(\d{1,9}))?$/
