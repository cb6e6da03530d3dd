import type { DiskGauge } from './storage.ts'

interface Guest {
  /** What it was promised. */
  limitBytes: number
  gauge: DiskGauge
  setLimit: (bytes: number) => Promise<void>
  /** What holds now; undefined until that is known. */
  currentBytes: number | undefined
  usedBytes: number
  /** Of that, not on the disk yet. */
  waitingBytes: number
  /** It may have so much although nothing is left; 0 while something is. */
  floorBytes: number
  /** Looks since it last grew. */
  quietLooks: number
}

/**
 * Bounds what running computers write together by what the disk has left, since they are promised more than that. As long as there is
 * plenty, each has what it was promised. Below that what is left is dealt out anew with each look: half of it to all alike, half to
 * those that write. All shares together are never more than there is, so a guest sees a full disk (EDQUOT) before the host has one.
 */
export class GuestRoom {
  readonly #guests = new Map<string, Guest>()
  /** Whether each has what it was promised. */
  #isSettled = true

  /** From the next look on its limit is the one that it has room for. One of the same id is replaced. */
  add(id: string, guest: Pick<Guest, 'limitBytes' | 'gauge' | 'setLimit'>): void {
    this.#guests.set(id, {
      ...guest,
      currentBytes: undefined,
      usedBytes: guest.gauge()?.usedBytes ?? 0,
      waitingBytes: 0,
      floorBytes: 0,
      quietLooks: 0,
    })
    this.#isSettled = false
  }

  /** It gets back what it was promised: what writes there now is the host. */
  async remove(id: string): Promise<void> {
    const guest = this.#guests.get(id)
    if (!guest) return
    this.#guests.delete(id)
    await apply(guest, guest.limitBytes)
  }

  /** What a computer may have in all at this moment; undefined where that is not known, or nothing of it. */
  limitOf(id: string): number | undefined {
    return this.#guests.get(id)?.currentBytes
  }

  /** What all of them had at the last look while little was left. */
  get usedBytes(): number {
    return this.#guests.values().reduce((sum, guest) => sum + guest.usedBytes, 0)
  }

  /**
   * Deals out what is left, but for what is written and not on the disk yet, which is at most `waitingBytes`; and `minBytes` beyond it to all
   * together, so that each can work. Rejects when a limit cannot be set, after it has tried all; the next look tries again.
   */
  async deal(freeBytes: number, { waitingBytes = 0, minBytes = 0 } = {}): Promise<void> {
    if (freeBytes - waitingBytes >= plentyBytes && this.#isSettled) return
    const guests = [...this.#guests.values()]
    for (const guest of guests) look(guest)
    const ownWaiting = guests.reduce((sum, guest) => sum + guest.waitingBytes, 0)
    const roomBytes = freeBytes - Math.min(ownWaiting, waitingBytes)
    this.#isSettled = roomBytes >= plentyBytes
    const shares = this.#isSettled
      ? guests.map((guest) => ({ guest, bytes: guest.limitBytes }))
      : sharesOf(guests, Math.max(0, roomBytes), minBytes)
    // Those that get less come first, so that at no time more is given than there is.
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

function sharesOf(guests: Guest[], roomBytes: number, minBytes: number): { guest: Guest; bytes: number }[] {
  const writing = guests.filter(isWriting).length
  const count = Math.max(1, guests.length)
  const least = Math.min(minShareBytes, minBytes / count)
  const each = Math.floor(roomBytes / 2 / count)
  const more = Math.floor(roomBytes / 2 / Math.max(1, writing))
  return guests.map((guest) => {
    const shareBytes = each + (isWriting(guest) ? more : 0)
    // Once for each time that little is left, or who writes could have it again and again.
    if (shareBytes >= least) guest.floorBytes = 0
    else guest.floorBytes ||= Math.floor(guest.usedBytes + least)
    return { guest, bytes: Math.min(guest.limitBytes, Math.max(guest.usedBytes + shareBytes, guest.floorBytes)) }
  })
}

async function apply(guest: Guest, bytes: number): Promise<void> {
  const { currentBytes, limitBytes, setLimit } = guest
  if (bytes === currentBytes) return
  // A little more is not worth a call; a little less is.
  const isLittleMore = currentBytes !== undefined && bytes > currentBytes && bytes - currentBytes < minChangeBytes
  if (isLittleMore && bytes < limitBytes) return
  await setLimit(bytes)
  guest.currentBytes = bytes
}

function isWriting({ quietLooks }: Guest): boolean {
  return quietLooks < activeLooks
}

function look(guest: Guest): void {
  const { usedBytes, waitingBytes } = guest.gauge() ?? { usedBytes: guest.usedBytes, waitingBytes: 0 }
  guest.waitingBytes = waitingBytes
  guest.quietLooks = usedBytes > guest.usedBytes ? 0 : guest.quietLooks + 1
  guest.usedBytes = usedBytes
}

const MiB = 1024 * 1024
/** Four seconds of the fastest writing that the guard reckons with: time for several looks. */
const plentyBytes = 8192 * MiB
/** One that has not grown for so many looks gets the share of those that do not write. */
const activeLooks = 20
const minChangeBytes = 1 * MiB
/** For directories, names and a few small files. */
const minShareBytes = 4 * MiB
