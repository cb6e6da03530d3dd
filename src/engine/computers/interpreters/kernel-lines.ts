import { limits } from '../../../config/limits.ts'
import type { MemoryBudget, Release } from '../../budgets/memory-budget.ts'

interface Options {
  memory: MemoryBudget
  accountId: string
  /** A line that was too long, or took too long, and is passed over. */
  onDropped: () => void
}

/**
 * Puts together the lines that a kernel says. Memory for a long one is set aside before it is taken; when there is none, or the line does not
 * end, it is passed over.
 */
export class KernelLines {
  readonly #options: Options
  #line = Buffer.alloc(0)
  #length = 0
  #step = 0
  #release: Release | undefined
  #timer: NodeJS.Timeout | undefined
  #isDropping = false

  constructor(options: Options) {
    this.#options = options
  }

  /** A line is whole with these bytes; undefined when it is passed over. They are good until the next call. */
  async end(rest: Buffer): Promise<Buffer | undefined> {
    if (this.#length === 0 && !this.#isDropping && rest.length <= limits.kernelLineBytes) return rest
    await this.add(rest)
    return this.#isDropping ? undefined : this.#line.subarray(0, this.#length)
  }

  /** A line goes on. */
  async add(data: Buffer): Promise<void> {
    if (this.#isDropping) return
    const length = this.#length + data.length
    if (length > limits.kernelLineBytes) return this.drop()
    if (length > steps[this.#step]!) await this.#makeRoom(length)
    if (this.#isDropping) return
    if (length > this.#line.length) {
      const larger = Buffer.allocUnsafe(Math.min(Math.max(length, 2 * this.#line.length), limits.kernelLineBytes))
      this.#line.copy(larger, 0, 0, this.#length)
      this.#line = larger
    }
    data.copy(this.#line, this.#length)
    this.#length = length
  }

  /** The line that was whole is needed no longer. */
  next(): void {
    this.#forget()
    this.#isDropping = false
  }

  /** Passes over the rest of the line. */
  drop(): void {
    this.#forget()
    this.#isDropping = true
    this.#options.onDropped()
  }

  /** A place that served a short line serves the next. */
  #forget(): void {
    clearTimeout(this.#timer)
    this.#release?.()
    this.#release = undefined
    this.#length = 0
    this.#step = 0
    if (this.#line.length > keptBytes) this.#line = Buffer.alloc(0)
  }

  async #makeRoom(length: number): Promise<void> {
    const { memory, accountId } = this.#options
    while (length > steps[this.#step]!) this.#step++
    this.#release?.()
    this.#release = undefined
    // The bytes, what is read of them, and what is made of that.
    const release = await memory.reserve(accountId, steps[this.#step]! * 3).catch(() => undefined)
    if (!release) return this.drop()
    this.#release = release
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.drop(), limits.kernelLineMs).unref()
  }
}

/** How much is taken for nothing, and what is set aside for longer lines. */
const steps = [256 * 1024, 4 * 1024 * 1024, limits.kernelLineBytes] as const
const keptBytes = steps[0]
