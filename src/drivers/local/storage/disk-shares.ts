import type { DiskGauge } from './storage.ts'

interface Guest {
  /** The computer's own limit. */
  limitBytes: number
  gauge: DiskGauge
  setLimit: (bytes: number) => Promise<void>
  /** The limit in force; undefined until it is set. */
  currentBytes: number | undefined
  usedBytes: number
  /** The part of `usedBytes` that is not on the disk yet. */
  dirtyBytes: number
  /** The limit that it keeps although nothing is left; 0 while something is. */
  floorBytes: number
  /** Number of checks since it last grew. */
  quietChecks: number
}

/**
 * Limits what running computers write together to what the disk has left, since disk space is overcommitted. While
 * there is plenty, each computer has its own limit. Below that, each check distributes what is left: half of it equally
 * among all, half among those that write. The shares never add up to more than there is, so a guest sees a full disk
 * (EDQUOT) before the host has one.
 */
export class DiskShares {
  readonly #guests = new Map<string, Guest>()
  /** Whether each computer has its own limit. */
  #isSettled = true

  /** Adds a computer, or replaces the one of this id. Its limit is adjusted from the next check on. */
  add(id: string, guest: Pick<Guest, 'limitBytes' | 'gauge' | 'setLimit'>): void {
    this.#guests.set(id, {
      ...guest,
      currentBytes: undefined,
      usedBytes: guest.gauge()?.usedBytes ?? 0,
      dirtyBytes: 0,
      floorBytes: 0,
      quietChecks: 0,
    })
    this.#isSettled = false
  }

  /** Removes a computer and restores its own limit, since only the host writes to it now. */
  async remove(id: string): Promise<void> {
    const guest = this.#guests.get(id)
    if (!guest) return
    this.#guests.delete(id)
    await apply(guest, guest.limitBytes)
  }

  /** Returns the limit of a computer that is in force; undefined when it is not set or the computer unknown. */
  limitOf(id: string): number | undefined {
    return this.#guests.get(id)?.currentBytes
  }

  /** What all computers used at the last check that found little space left. */
  get usedBytes(): number {
    return this.#guests.values().reduce((sum, guest) => sum + guest.usedBytes, 0)
  }

  /**
   * Distributes `freeBytes`, less what computers have written and is not on the disk yet (at most `dirtyBytes`). All
   * together may write `minBytes` beyond that, so that each can work. Tries to set all limits, and rejects when one
   * cannot be set; the next check tries again.
   */
  async distribute(freeBytes: number, { dirtyBytes = 0, minBytes = 0 } = {}): Promise<void> {
    if (freeBytes - dirtyBytes >= plentyBytes && this.#isSettled) return
    const guests = [...this.#guests.values()]
    for (const guest of guests) measure(guest)
    const ownDirtyBytes = guests.reduce((sum, guest) => sum + guest.dirtyBytes, 0)
    const headroomBytes = freeBytes - Math.min(ownDirtyBytes, dirtyBytes)
    this.#isSettled = headroomBytes >= plentyBytes
    const shares = this.#isSettled
      ? guests.map((guest) => ({ guest, bytes: guest.limitBytes }))
      : sharesOf(guests, Math.max(0, headroomBytes), minBytes)
    // Limits that shrink are set first, so that they never add up to more than there is.
    const growth = ({ guest, bytes }: (typeof shares)[number]) => bytes - (guest.currentBytes ?? guest.limitBytes)
    let failure: unknown
    for (const { guest, bytes } of shares.toSorted((a, b) => growth(a) - growth(b)))
      await apply(guest, bytes).catch((error: unknown) => {
        failure = error
      })
    if (failure === undefined) return
    this.#isSettled = false
    throw failure
  }
}

function sharesOf(guests: Guest[], headroomBytes: number, minBytes: number): { guest: Guest; bytes: number }[] {
  const writing = guests.filter(isWriting).length
  const count = Math.max(1, guests.length)
  const guestMinBytes = Math.min(minShareBytes, minBytes / count)
  const equalShareBytes = Math.floor(headroomBytes / 2 / count)
  const writerShareBytes = Math.floor(headroomBytes / 2 / Math.max(1, writing))
  return guests.map((guest) => {
    const shareBytes = equalShareBytes + (isWriting(guest) ? writerShareBytes : 0)
    // Granted once in each shortage; otherwise a writer would get it again with each check.
    if (shareBytes >= guestMinBytes) guest.floorBytes = 0
    else guest.floorBytes ||= Math.floor(guest.usedBytes + guestMinBytes)
    return { guest, bytes: Math.min(guest.limitBytes, Math.max(guest.usedBytes + shareBytes, guest.floorBytes)) }
  })
}

async function apply(guest: Guest, bytes: number): Promise<void> {
  const { currentBytes, limitBytes, setLimit } = guest
  if (bytes === currentBytes) return
  // A small decrease must be set; a small increase is not worth a call.
  const isSmallIncrease = currentBytes !== undefined && bytes > currentBytes && bytes - currentBytes < minChangeBytes
  if (isSmallIncrease && bytes < limitBytes) return
  await setLimit(bytes)
  guest.currentBytes = bytes
}

function isWriting({ quietChecks }: Guest): boolean {
  return quietChecks < activeChecks
}

function measure(guest: Guest): void {
  const { usedBytes, dirtyBytes } = guest.gauge() ?? { usedBytes: guest.usedBytes, dirtyBytes: 0 }
  guest.dirtyBytes = dirtyBytes
  guest.quietChecks = usedBytes > guest.usedBytes ? 0 : guest.quietChecks + 1
  guest.usedBytes = usedBytes
}

const MiB = 1024 * 1024
/** Four seconds at the maximum write rate of `disk-guard.ts`: time for several checks. */
const plentyBytes = 8192 * MiB
/** A computer that has not grown in this number of checks does not count as writing. */
const activeChecks = 20
const minChangeBytes = 1 * MiB
/** For directories, names and a few small files. */
const minShareBytes = 4 * MiB
