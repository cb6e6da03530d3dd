import { limits } from '../../../config/limits.ts'
import type { ProcessRow } from '../../../db/schema.ts'

type Kept = Pick<ProcessRow, 'computer_id' | 'account_id'> & { bytes: number }

/** What a row's record takes on the disk, files and their blocks included. One from before that was counted is taken for the most that it can be. */
export function keptBytesOf({ kept_bytes, output_bytes }: Pick<ProcessRow, 'kept_bytes' | 'output_bytes'>): number {
  return (kept_bytes ?? Math.min(output_bytes, limits.keptOutputBytes)) + limits.processRecordBytes
}

/**
 * How much ended processes keep, by computer, account and in all. Counted in memory as they end, so that what is too much is
 * known at once and costs no look at the database; each look there corrects it.
 */
export class OutputRetention {
  readonly #allBytes: () => number
  readonly #computers = new Map<string, number>()
  readonly #accounts = new Map<string, number>()
  #bytes = 0

  /** `allBytes` gives the bound for all, which depends on the disk. */
  constructor(allBytes: () => number) {
    this.#allBytes = allBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Begins anew with what there is. */
  reset(all: Iterable<Kept>): void {
    this.#computers.clear()
    this.#accounts.clear()
    this.#bytes = 0
    for (const kept of all) this.add(kept)
  }

  /** Negative bytes take away. True when something is over its bound. */
  add({ computer_id, account_id, bytes }: Kept): boolean {
    this.#bytes += bytes
    const ofComputer = grow(this.#computers, computer_id, bytes)
    const ofAccount = grow(this.#accounts, account_id, bytes)
    return (
      ofComputer > limits.outputPerComputerBytes ||
      ofAccount > limits.outputPerAccountBytes ||
      this.#bytes > this.#allBytes()
    )
  }

  /** Whose oldest output has to go first, and how much of it; undefined when nothing is over. */
  surplus(): { column: 'computer_id' | 'account_id'; id: string; bytes: number } | undefined {
    const [computer, ofComputer] = greatest(this.#computers)
    if (ofComputer > limits.outputPerComputerBytes)
      return { column: 'computer_id', id: computer, bytes: ofComputer - limits.outputPerComputerBytes }
    const [account, ofAccount] = greatest(this.#accounts)
    const tooMuch = Math.max(ofAccount - limits.outputPerAccountBytes, this.#bytes - this.#allBytes())
    return tooMuch > 0 ? { column: 'account_id', id: account, bytes: Math.min(tooMuch, ofAccount) } : undefined
  }
}

function grow(group: Map<string, number>, id: string, bytes: number): number {
  const grown = (group.get(id) ?? 0) + bytes
  if (grown > 0) group.set(id, grown)
  else group.delete(id)
  return grown
}

function greatest(group: Map<string, number>): [string, number] {
  let most: [string, number] = ['', 0]
  for (const entry of group) if (entry[1] > most[1]) most = entry
  return most
}
