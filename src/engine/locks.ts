import { AsyncLocalStorage } from 'node:async_hooks'
import { isInTransaction } from '../db/transaction.ts'
import { KeyedLock } from '../keyed-lock.ts'

/**
 * The kinds of locks, in the order in which they may be nested: work that holds one may take those after it. Nothing
 * holds two of a kind, so that no two pieces of work wait for each other.
 */
const kinds = [
  'datasets',
  'sandboxName',
  'computer',
  'kernel',
  'processName',
  'files',
  'sshAccess',
  'challenge',
  'intent',
  'usage',
] as const
type Kind = (typeof kinds)[number]

interface Held {
  kind: Kind
  key: readonly string[]
  isReleased: boolean
  /** The next lock that the same work holds; undefined when this is the first. */
  outer: Held | undefined
}

/** What the running work holds; also seen by work that was started inside and is not waited for. */
const held = new AsyncLocalStorage<Held>()

/**
 * Locks of this server, in memory: they keep its own work in order. They say nothing about other servers of the same
 * database. A rule about rows that others write too is held by a transaction or a unique key, with or without a lock.
 *
 * A lock that is taken out of order, or in a transaction, is refused: each time, and not only when two pieces of work
 * happen to meet.
 */
export class Locks {
  readonly #locks = new Map(kinds.map((kind) => [kind, new KeyedLock()]))

  /** One change of the folder of datasets at a time: an upload takes a processor, and a clean-up needs peace. */
  datasets<T>(work: () => Promise<T>): Promise<T> {
    return this.#run('datasets', [], work)
  }

  /** One sandbox is created for a name, however many requests ask at once. Among servers, the name is a unique key. */
  sandboxName<T>(accountId: string, name: string, work: () => Promise<T>): Promise<T> {
    return this.#run('sandboxName', [accountId, name], work)
  }

  /** One change of a computer at a time. Only the server whose computer it is works on it. */
  computer<T>(id: string, work: () => Promise<T>): Promise<T> {
    return this.#run('computer', [id], work)
  }

  /** One call of a kernel at a time. Kernels run where their computer does. */
  kernel<T>(computerId: string, language: string, work: () => Promise<T>): Promise<T> {
    return this.#run('kernel', [computerId, language], work)
  }

  /** One start of a process of a name at a time. The driver knows what runs, and processes run where their computer does. */
  processName<T>(computerId: string, name: string, work: () => Promise<T>): Promise<T> {
    return this.#run('processName', [computerId, name], work)
  }

  /**
   * Reads who may connect to a computer by SSH and shows that to it, one after the other, so that an older answer
   * replaces no newer. Connections are where their computer is.
   */
  sshAccess<T>(computerId: string, work: () => Promise<T>): Promise<T> {
    return this.#run('sshAccess', [computerId], work)
  }

  /** One patch of a file of a computer at a time, so that none is lost. Files are where their computer is. */
  files<T>(computerId: string, work: () => Promise<T>): Promise<T> {
    return this.#run('files', [computerId], work)
  }

  /**
   * One answer to a payment challenge at a time, so that repeated requests wait for the first instead of asking the
   * network again. Among servers, the challenge is the key of a row that is written before money moves.
   */
  challenge<T>(id: string, work: () => Promise<T>): Promise<T> {
    return this.#run('challenge', [id], work)
  }

  /** One settlement of a PaymentIntent at a time, for the same reason. Among servers, the intent is the key of what is posted. */
  intent<T>(id: string, work: () => Promise<T>): Promise<T> {
    return this.#run('intent', [id], work)
  }

  /**
   * Either the meter's usage is being charged or a balance is being read, so that no use counts twice or not at all.
   * What the meter counts is in the memory of this server. Charges are keyed by their interval.
   */
  usage<T>(work: () => Promise<T>): Promise<T> {
    return this.#run('usage', [], work)
  }

  async #run<T>(kind: Kind, key: readonly string[], work: () => Promise<T>): Promise<T> {
    if (isInTransaction())
      throw new Error(`Cannot take lock ${describe({ kind, key })}: whoever holds it may wait for this transaction`)
    const outer = innermost(held.getStore())
    if (outer && kinds.indexOf(outer.kind) >= kinds.indexOf(kind))
      throw new Error(
        `Cannot take lock ${describe({ kind, key })}: this work holds ${describe(outer)}, which comes after it or is of its kind`,
      )
    return this.#locks.get(kind)!.run(key, async () => {
      const lock: Held = { kind, key, isReleased: false, outer }
      try {
        return await held.run(lock, work)
      } finally {
        lock.isReleased = true
      }
    })
  }
}

/** Returns the last lock that is still held. Locks that were released are skipped, so that they can be forgotten. */
function innermost(lock: Held | undefined): Held | undefined {
  for (let each = lock; ; each = each.outer) if (!each?.isReleased) return each
}

function describe({ kind, key }: Pick<Held, 'kind' | 'key'>): string {
  return [kind, ...key.map((part) => JSON.stringify(part))].join(' ')
}
