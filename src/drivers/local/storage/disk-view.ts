import { closeSync, openSync, writeSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import type { DiskGauge } from './storage.ts'

interface View {
  file: string
  limitBytes: number
  gauge: DiskGauge
  shownBytes: number | undefined
  /** Ticks until it is looked at again, and how many it waits after that. */
  dueIn: number
  pause: number
}

/**
 * Shows each running computer how much of its disk is used: btrfs answers statfs for the whole pool. A file of
 * `limit used`, in bytes, is mounted in the computer, where `df` of the image reads it (images/guest-df.pl). It is
 * renewed when a process starts and every second while it changes, every two seconds else.
 */
export class DiskView {
  readonly #views = new Map<string, View>()
  #timer: NodeJS.Timeout | undefined

  /** Writes the file, which is empty where the storage has no gauge. A file from before is kept: it may be mounted. */
  async add(id: string, file: string, limitBytes: number, gauge: DiskGauge | undefined): Promise<void> {
    await writeFile(file, '', { flag: 'a', mode: 0o644 })
    if (!gauge) return
    this.#views.set(id, { file, limitBytes, gauge, shownBytes: undefined, dueIn: 1, pause: 1 })
    this.renew(id)
    this.#timer ??= setInterval(() => this.#tick(), tickMs).unref()
  }

  remove(id: string): void {
    this.#views.delete(id)
    if (this.#views.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Brings the file up to date, before something that may read it. */
  renew(id: string): void {
    const view = this.#views.get(id)
    if (!view) return
    show(view)
    view.pause = 1
    view.dueIn = 1
  }

  #tick(): void {
    for (const view of this.#views.values()) {
      view.dueIn -= 1
      if (view.dueIn > 0) continue
      view.pause = show(view) ? 1 : Math.min(view.pause * 2, maxPauseTicks)
      view.dueIn = view.pause
    }
  }
}

/** Whether there was something new to show. */
function show(view: View): boolean {
  const usedBytes = view.gauge()?.usedBytes
  if (usedBytes === undefined || usedBytes === view.shownBytes) return false
  write(view.file, `${view.limitBytes} ${usedBytes}\n`)
  view.shownBytes = usedBytes
  return true
}

/** In place, as the file is mounted; one write of a fixed length, so that a reader never sees half of two. */
function write(file: string, line: string): void {
  let fd: number | undefined
  try {
    fd = openSync(file, 'r+')
    writeSync(fd, line.padEnd(lineLength), 0)
  } catch {
    // The computer has just been removed.
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

const tickMs = 1_000
const maxPauseTicks = 2
const lineLength = 42
