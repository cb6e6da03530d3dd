import { closeSync, openSync, writeSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import type { DiskGauge } from './storage.ts'

interface View {
  file: string
  limitBytes: number
  gauge: DiskGauge
  shownBytes: number | undefined
  /** Ticks until the next check. */
  dueInTicks: number
  /** Ticks between checks. */
  pauseTicks: number
}

/**
 * Shows each running computer the use of its disk, as btrfs answers statfs for the whole pool. A file with `limit
 * used`, in bytes, is mounted in the computer, where the image's `df` reads it (images/guest-df.pl). It is updated when
 * a process starts, every second while the use changes, and otherwise every two seconds.
 */
export class DiskView {
  readonly #views = new Map<string, View>()
  #timer: NodeJS.Timeout | undefined

  /** Writes the file, which is empty without a gauge. An existing file is kept, since it may be mounted. */
  async add(id: string, file: string, limitBytes: number, gauge: DiskGauge | undefined): Promise<void> {
    await writeFile(file, '', { flag: 'a', mode: 0o644 })
    if (!gauge) return
    this.#views.set(id, { file, limitBytes, gauge, shownBytes: undefined, dueInTicks: 1, pauseTicks: 1 })
    this.update(id)
    this.#timer ??= setInterval(() => this.#tick(), tickMs).unref()
  }

  remove(id: string): void {
    this.#views.delete(id)
    if (this.#views.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Brings the file up to date for a process that may read it. */
  update(id: string): void {
    const view = this.#views.get(id)
    if (!view) return
    show(view)
    view.pauseTicks = 1
    view.dueInTicks = 1
  }

  #tick(): void {
    for (const view of this.#views.values()) {
      view.dueInTicks -= 1
      if (view.dueInTicks > 0) continue
      view.pauseTicks = show(view) ? 1 : Math.min(view.pauseTicks * 2, maxPauseTicks)
      view.dueInTicks = view.pauseTicks
    }
  }
}

/** Writes the file if the use has changed. Returns whether it has. */
function show(view: View): boolean {
  const usedBytes = view.gauge()?.usedBytes
  if (usedBytes === undefined || usedBytes === view.shownBytes) return false
  write(view.file, `${view.limitBytes} ${usedBytes}\n`)
  view.shownBytes = usedBytes
  return true
}

/**
 * Overwrites the file in place, as it is mounted. One write of a fixed length never shows a reader a mix of two lines.
 */
function write(file: string, line: string): void {
  let fd: number | undefined
  try {
    fd = openSync(file, 'r+')
    writeSync(fd, line.padEnd(lineLength), 0)
  } catch {
    // The computer has been removed meanwhile.
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

const tickMs = 1_000
const maxPauseTicks = 2
const lineLength = 42
