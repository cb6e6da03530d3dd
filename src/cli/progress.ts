import type { Program } from './program.ts'
import { shortSize } from './sizes.ts'
import type { Values } from './verb.ts'

const barWidth = 24
/** A shorter bar shows too little; words are dropped to make room for it. */
const minBarWidth = 10
/** A transfer that ends before this needs no bar. `CARREL_PROGRESS_AFTER_MS` overrides it. */
const defaultShowAfterMs = 400
const intervalMs = 100

/** Shows bytes, rate and time left on one line of stderr if that is a terminal, else nothing. */
export class Progress {
  readonly #program: Program
  readonly #isShown: boolean
  readonly #showAfterMs: number
  #totalBytes: number | undefined
  readonly #startedMs = performance.now()
  #bytes = 0
  #drawnMs = 0

  /** @param totalBytes undefined if unknown */
  constructor(program: Program, values: Values, totalBytes?: number) {
    this.#program = program
    this.#isShown = program.stderr.isTerminal && !values.json
    this.#showAfterMs = Number(program.env.CARREL_PROGRESS_AFTER_MS || defaultShowAfterMs)
    this.#totalBytes = totalBytes
  }

  /** Passes chunks on and counts them. Clears the line when they end or fail. */
  async *track(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of chunks) {
        yield chunk
        await this.add(chunk.length)
      }
    } finally {
      await this.clear()
    }
  }

  /** Counts bytes that were transferred elsewhere. */
  async add(bytes: number): Promise<void> {
    this.#bytes += bytes
    await this.#draw()
  }

  /** Clears the line. */
  async clear(): Promise<void> {
    if (this.#drawnMs > 0) await this.#program.stderr.write('\r\u001b[K').catch(() => {})
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether the line is visible, so that finding out the total is worth it. */
  get isShown(): boolean {
    return this.#isShown
  }

  /** Sets the total once it is known. */
  expect(totalBytes: number): void {
    this.#totalBytes = totalBytes
  }

  async #draw(): Promise<void> {
    const now = performance.now()
    if (!this.#isShown || now - this.#startedMs < this.#showAfterMs || now - this.#drawnMs < intervalMs) return
    this.#drawnMs = now
    const width = (this.#program.stderr.width ?? 80) - 1
    const line = progressLine(this.#bytes, this.#totalBytes, now - this.#startedMs, width).slice(0, width)
    await this.#program.stderr.write(`\r${line}\u001b[K`).catch(() => {})
  }
}

/**
 * Returns a line such as `━━━━━━────── 42%  12.3 MiB of 29.1 MiB  5.2 MiB/s  4 s left`. On a narrow terminal the bar is
 * shorter, and the last words are left out.
 */
export function progressLine(bytes: number, totalBytes: number | undefined, ms: number, width = 79): string {
  const bytesPerSecond = bytes / (ms / 1000)
  const rate = `${shortSize(bytesPerSecond)}/s`
  if (!totalBytes) return `${shortSize(bytes)}  ${rate}`
  const share = Math.min(bytes / totalBytes, 1)
  const words = [
    `${Math.floor(share * 100)}%`,
    `${shortSize(bytes)} of ${shortSize(totalBytes)}`,
    rate,
    ...(share === 1 ? [] : [`${shortDuration((totalBytes - bytes) / bytesPerSecond)} left`]),
  ]
  const roomForBar = () => width - 1 - words.join('  ').length
  while (words.length > 1 && roomForBar() < minBarWidth) words.pop()
  const length = Math.max(0, Math.min(barWidth, roomForBar()))
  const full = Math.round(share * length)
  return `${'━'.repeat(full)}${'─'.repeat(length - full)} ${words.join('  ')}`
}

function shortDuration(seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} min`
  return `${Math.floor(whole / 3600)}:${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} h`
}
