import { limits } from '../../../config/limits.ts'
import type { MemoryBudget, Release } from '../../budgets/memory-budget.ts'

interface Options {
  memory: MemoryBudget
  accountId: string
  /** Called for a line that is dropped because it is too long or takes too long. */
  onDropped: () => void
}

/**
 * Assembles the lines that a kernel sends. Memory for a long line is reserved before the line is stored. A line is
 * dropped when there is no memory for it, or when it does not end.
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

  /**
   * Ends a line with these bytes and returns it; undefined when the line is dropped. The result is valid until the next
   * call.
   */
  async end(rest: Buffer): Promise<Buffer | undefined> {
    if (this.#length === 0 && !this.#isDropping && rest.length <= limits.kernelLineBytes) return rest
    await this.add(rest)
    return this.#isDropping ? undefined : this.#line.subarray(0, this.#length)
  }

  /** Adds bytes to the current line. */
  async add(data: Buffer): Promise<void> {
    if (this.#isDropping) return
    const length = this.#length + data.length
    if (length > limits.kernelLineBytes) return this.drop()
    if (length > steps[this.#step]!) await this.#reserve(length)
    if (this.#isDropping) return
    if (length > this.#line.length) {
      const larger = Buffer.allocUnsafe(Math.min(Math.max(length, 2 * this.#line.length), limits.kernelLineBytes))
      this.#line.copy(larger, 0, 0, this.#length)
      this.#line = larger
    }
    data.copy(this.#line, this.#length)
    this.#length = length
  }

  /** Releases the line that `end` returned. */
  next(): void {
    this.#clear()
    this.#isDropping = false
  }

  /** Drops the current line, including its rest. */
  drop(): void {
    this.#clear()
    this.#isDropping = true
    this.#options.onDropped()
  }

  /** Releases the memory of the line. A small buffer is reused for the next line. */
  #clear(): void {
    clearTimeout(this.#timer)
    this.#release?.()
    this.#release = undefined
    this.#length = 0
    this.#step = 0
    if (this.#line.length > reusedBytes) this.#line = Buffer.alloc(0)
  }

  async #reserve(length: number): Promise<void> {
    const { memory, accountId } = this.#options
    while (length > steps[this.#step]!) this.#step++
    this.#release?.()
    this.#release = undefined
    // Three times the line's size: for its bytes, for what is parsed from them, and for what is made of that.
    const release = await memory.reserve(accountId, steps[this.#step]! * 3).catch(() => undefined)
    if (!release) return this.drop()
    this.#release = release
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.drop(), limits.kernelLineMs).unref()
  }
}

/** The sizes in which memory is reserved; lines up to the first size need no reservation. */
const steps = [256 * 1024, 4 * 1024 * 1024, limits.kernelLineBytes] as const
const reusedBytes = steps[0]
