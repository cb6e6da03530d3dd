import { limits } from '../../../config/limits.ts'
import type { ProcessRow } from '../../../db/schema.ts'

type Kept = Pick<ProcessRow, 'computer_id' | 'account_id'> & { bytes: number }

/**
 * Returns what the record of a process takes on the disk, in bytes: its files, rounded up to blocks. A record without a
 * count, from an earlier version, is assumed to take the maximum.
 */
export function keptBytesOf({ kept_bytes, output_bytes }: Pick<ProcessRow, 'kept_bytes' | 'output_bytes'>): number {
  return (kept_bytes ?? Math.min(output_bytes, limits.keptOutputBytes)) + limits.processRecordBytes
}

/**
 * How many bytes the records of ended processes take, by computer, by account and in total. They are counted in memory
 * as processes end, so that exceeding a limit is noticed at once and without a query; each query of the database
 * corrects the count.
 */
export class OutputRetention {
  readonly #maxTotalBytes: () => number
  readonly #computers = new Map<string, number>()
  readonly #accounts = new Map<string, number>()
  #bytes = 0

  /** @param maxTotalBytes returns the limit of the total, which depends on the size of the disk */
  constructor(maxTotalBytes: () => number) {
    this.#maxTotalBytes = maxTotalBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Replaces the count by what `all` lists. */
  reset(all: Iterable<Kept>): void {
    this.#computers.clear()
    this.#accounts.clear()
    this.#bytes = 0
    for (const kept of all) this.add(kept)
  }

  /** Adds bytes, or subtracts negative ones. Returns whether a limit is exceeded. */
  add({ computer_id, account_id, bytes }: Kept): boolean {
    this.#bytes += bytes
    const computerBytes = grow(this.#computers, computer_id, bytes)
    const accountBytes = grow(this.#accounts, account_id, bytes)
    return (
      computerBytes > limits.outputPerComputerBytes ||
      accountBytes > limits.outputPerAccountBytes ||
      this.#bytes > this.#maxTotalBytes()
    )
  }

  /** Returns whose oldest output has to be dropped and how many bytes of it; undefined when no limit is exceeded. */
  surplus(): { column: 'computer_id' | 'account_id'; id: string; bytes: number } | undefined {
    const [computer, computerBytes] = largest(this.#computers)
    if (computerBytes > limits.outputPerComputerBytes)
      return { column: 'computer_id', id: computer, bytes: computerBytes - limits.outputPerComputerBytes }
    const [account, accountBytes] = largest(this.#accounts)
    const excess = Math.max(accountBytes - limits.outputPerAccountBytes, this.#bytes - this.#maxTotalBytes())
    return excess > 0 ? { column: 'account_id', id: account, bytes: Math.min(excess, accountBytes) } : undefined
  }
}

function grow(group: Map<string, number>, id: string, bytes: number): number {
  const grown = (group.get(id) ?? 0) + bytes
  if (grown > 0) group.set(id, grown)
  else group.delete(id)
  return grown
}

function largest(group: Map<string, number>): [string, number] {
  let max: [string, number] = ['', 0]
  for (const entry of group) if (entry[1] > max[1]) max = entry
  return max
}
