import { Journal } from './journal.ts'

/** Limits on the disk space of journals. */
export interface JournalBounds {
  computerBytes: number
  /** For all computers of one owner together. */
  ownerBytes: number
  allBytes: number
}

interface Entry {
  computerId: string
  computer: Group
  ownerId: string
  owner: Group
}

/** Journals that share a limit. */
class Group {
  bytes = 0
  readonly journals = new Set<Journal>()
}

/**
 * Limits the output of processes for each computer, each owner and in total. A group over its limit loses its oldest
 * output. When the total is over, the owner with the most output loses its oldest. Counts in memory, without reading
 * the disk.
 */
export class JournalBudget {
  readonly #entries = new Map<Journal, Entry>()
  readonly #computers = new Map<string, Group>()
  readonly #owners = new Map<string, Group>()
  #bounds: JournalBounds = { computerBytes: Infinity, ownerBytes: Infinity, allBytes: Infinity }
  #bytes = 0

  /** Bytes that all journals take on the disk. */
  get bytes(): number {
    return this.#bytes
  }

  set bounds(bounds: JournalBounds) {
    this.#bounds = bounds
    for (const entry of this.#entries.values()) this.#enforce(entry)
  }

  /** Opens a journal that counts until `leave`. */
  open(directory: string, computerId: string, ownerId: string): Journal {
    const computer = groupOf(this.#computers, computerId)
    const owner = groupOf(this.#owners, ownerId)
    const journal = new Journal(directory, (bytes) => {
      const entry = this.#entries.get(journal)
      if (!entry) return
      this.#count(entry, bytes)
      if (bytes > 0) this.#enforce(entry)
    })
    computer.journals.add(journal)
    owner.journals.add(journal)
    this.#entries.set(journal, { computerId, computer, ownerId, owner })
    return journal
  }

  /** Stops counting the journal of a recorded process: from then on the server counts its retained output. */
  leave(journal: Journal): void {
    const entry = this.#entries.get(journal)
    if (!entry) return
    this.#entries.delete(journal)
    this.#count(entry, -journal.diskBytes)
    const { computerId, computer, ownerId, owner } = entry
    computer.journals.delete(journal)
    owner.journals.delete(journal)
    if (computer.journals.size === 0) this.#computers.delete(computerId)
    if (owner.journals.size === 0) this.#owners.delete(ownerId)
  }

  #count({ computer, owner }: Entry, bytes: number): void {
    computer.bytes += bytes
    owner.bytes += bytes
    this.#bytes += bytes
  }

  #enforce({ computer, owner }: Entry): void {
    const { computerBytes, ownerBytes, allBytes } = this.#bounds
    while (computer.bytes > computerBytes && dropOldest(computer));
    while (owner.bytes > ownerBytes && dropOldest(owner));
    while (this.#bytes > allBytes && dropOldest(largest(this.#owners.values())));
  }
}

/** Drops the oldest segment of a group. Returns false when the group has none on the disk. */
function dropOldest({ journals }: Group): boolean {
  let first: Journal | undefined
  for (const journal of journals)
    if (journal.oldest !== undefined && (first === undefined || journal.oldest < first.oldest!)) first = journal
  first?.dropOldest()
  return first !== undefined
}

function largest(groups: Iterable<Group>): Group {
  return [...groups].reduce((max, group) => (group.bytes > max.bytes ? group : max))
}

function groupOf(groups: Map<string, Group>, id: string): Group {
  const group = groups.get(id) ?? new Group()
  groups.set(id, group)
  return group
}
