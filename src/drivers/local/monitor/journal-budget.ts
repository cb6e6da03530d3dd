import { Journal } from './journal.ts'

/** What journals may take on the disk, in bytes. */
export interface JournalBounds {
  computerBytes: number
  /** Of all computers of one owner. */
  ownerBytes: number
  allBytes: number
}

interface Entry {
  computerId: string
  computer: Group
  ownerId: string
  owner: Group
}

/** Journals that share a bound. */
class Group {
  bytes = 0
  readonly journals = new Set<Journal>()
}

/**
 * Keeps what processes print within bounds for each computer, each owner and all: when a group is over its own, its oldest
 * output is dropped; when all are, the oldest of the owner that has most. Counted without a look at the disk.
 */
export class JournalBudget {
  readonly #entries = new Map<Journal, Entry>()
  readonly #computers = new Map<string, Group>()
  readonly #owners = new Map<string, Group>()
  #bounds: JournalBounds = { computerBytes: Infinity, ownerBytes: Infinity, allBytes: Infinity }
  #bytes = 0

  /** What all journals take on the disk. */
  get bytes(): number {
    return this.#bytes
  }

  set bounds(bounds: JournalBounds) {
    this.#bounds = bounds
    for (const entry of this.#entries.values()) this.#enforce(entry)
  }

  /** A journal that counts until it is left. */
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

  /** Its process has been recorded: from here on who records it counts what is kept. */
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
    while (this.#bytes > allBytes && dropOldest(greatest(this.#owners.values())));
  }
}

/** False when nothing of it is on the disk. */
function dropOldest({ journals }: Group): boolean {
  let first: Journal | undefined
  for (const journal of journals)
    if (journal.oldest !== undefined && (first === undefined || journal.oldest < first.oldest!)) first = journal
  first?.dropOldest()
  return first !== undefined
}

function greatest(groups: Iterable<Group>): Group {
  return [...groups].reduce((most, group) => (group.bytes > most.bytes ? group : most))
}

function groupOf(groups: Map<string, Group>, id: string): Group {
  const group = groups.get(id) ?? new Group()
  groups.set(id, group)
  return group
}
