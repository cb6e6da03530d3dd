import type { Program } from './program.ts'
import { shortSize } from './sizes.ts'
import type { Values } from './verb.ts'

const barWidth = 24
/** A shorter one shows little: words give way to it. */
const minBarWidth = 10
/** What is over before this needs no bar; `CARREL_PROGRESS_AFTER_MS` says otherwise. */
const defaultPatienceMs = 400
const intervalMs = 100

/** Bytes, rate and time left on one line of stderr, while it is a terminal; nothing otherwise. */
export class Progress {
  readonly #program: Program
  readonly #isShown: boolean
  readonly #patienceMs: number
  #totalBytes: number | undefined
  readonly #startedMs = performance.now()
  #bytes = 0
  #drawnMs = 0

  /** @param totalBytes undefined when nobody knows */
  constructor(program: Program, values: Values, totalBytes?: number) {
    this.#program = program
    this.#isShown = program.stderr.isTerminal && !values.json
    this.#patienceMs = Number(program.env.CARREL_PROGRESS_AFTER_MS || defaultPatienceMs)
    this.#totalBytes = totalBytes
  }

  /** The same chunks, counted as they pass. The line is gone when they end, well or badly. */
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

  /** Counts bytes that passed elsewhere. */
  async add(bytes: number): Promise<void> {
    this.#bytes += bytes
    await this.#draw()
  }

  /** The line is gone. */
  async clear(): Promise<void> {
    if (this.#drawnMs > 0) await this.#program.stderr.write('\r\u001b[K').catch(() => {})
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether anybody sees it, so that it is worth finding out the total. */
  get isShown(): boolean {
    return this.#isShown
  }

  /** Known only later. */
  expect(totalBytes: number): void {
    this.#totalBytes = totalBytes
  }

  async #draw(): Promise<void> {
    const now = performance.now()
    if (!this.#isShown || now - this.#startedMs < this.#patienceMs || now - this.#drawnMs < intervalMs) return
    this.#drawnMs = now
    const width = (this.#program.stderr.width ?? 80) - 1
    const line = progressLine(this.#bytes, this.#totalBytes, now - this.#startedMs, width).slice(0, width)
    await this.#program.stderr.write(`\r${line}\u001b[K`).catch(() => {})
  }
}

/**
 * Such as `━━━━━━────── 42%  12.3 MiB of 29.1 MiB  5.2 MiB/s  4 s left`. On a narrow terminal the bar is shorter, and the
 * last words are left out.
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
