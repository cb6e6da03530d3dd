import type { Readable } from 'node:stream'
import { limits } from '../../config/limits.ts'
import { CarrelError } from '../../errors.ts'
import { toReadable } from './to-readable.ts'

interface Transfer {
  kind: 'export' | 'import'
  snapshotId: string
  abort: AbortController
  ended: Promise<void>
}

/** The exports and imports of a driver that are under way. */
export class RunningTransfers {
  readonly #running = new Set<Transfer>()
  readonly #deletions = new Set<{ snapshotId: string }>()

  /**
   * Runs a transfer, and settles as it does. `signal` aborts with the error that it is to end with. Throws
   * `no_capacity` when too many run, and `already_exists` for an import of a snapshot that is being imported.
   */
  run<T>(kind: Transfer['kind'], snapshotId: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#assertAdmissible(kind, snapshotId)
    const abort = new AbortController()
    const ended = Promise.withResolvers<void>()
    const transfer = { kind, snapshotId, abort, ended: ended.promise }
    this.#running.add(transfer)
    const deadline = setTimeout(() => abort.abort(overdue(kind, snapshotId)), limits.transferMs).unref()
    return work(abort.signal).finally(() => {
      clearTimeout(deadline)
      this.#running.delete(transfer)
      ended.resolve()
    })
  }

  /** Returns the stream of an export, which is under way until `make`'s generator has ended. */
  export(snapshotId: string, make: (signal: AbortSignal) => AsyncIterable<Buffer>): Readable {
    let stream!: Readable
    void this.run('export', snapshotId, (signal) => {
      const made = toReadable(make, { signal })
      ;({ stream } = made)
      return made.ended
    })
    return stream
  }

  /** Deletes a snapshot, once its exports have ended. No export of it begins meanwhile: it would be incomplete. */
  async delete(snapshotId: string, work: () => Promise<void>): Promise<void> {
    const mark = { snapshotId }
    this.#deletions.add(mark)
    try {
      const isMeant = ({ kind, snapshotId: id }: Transfer) => kind === 'export' && id === snapshotId
      await this.#end(isMeant, deleted(snapshotId))
      await work()
    } finally {
      this.#deletions.delete(mark)
    }
  }

  /** Ends all transfers. */
  endAll(): Promise<void> {
    const reason = new CarrelError('unavailable', 'Cannot complete the transfer of a snapshot: the driver has ended it')
    return this.#end(() => true, reason)
  }

  async #end(isMeant: (transfer: Transfer) => boolean, reason: CarrelError): Promise<void> {
    const meant = [...this.#running].filter(isMeant)
    for (const { abort } of meant) abort.abort(reason)
    await Promise.all(meant.map(({ ended }) => ended))
  }

  #assertAdmissible(kind: Transfer['kind'], snapshotId: string): void {
    const isTwice = [...this.#running].some((other) => other.kind === 'import' && other.snapshotId === snapshotId)
    if (kind === 'import' && isTwice)
      throw new CarrelError('already_exists', `Cannot import snapshot "${snapshotId}": it is being imported`)
    if (kind === 'export' && [...this.#deletions].some((deletion) => deletion.snapshotId === snapshotId))
      throw deleted(snapshotId)
    if (this.#running.size < limits.snapshotTransfers) return
    throw new CarrelError(
      'no_capacity',
      `Cannot ${kind} snapshot "${snapshotId}": ${limits.snapshotTransfers} exports and imports run already`,
    )
  }
}

function overdue(kind: Transfer['kind'], snapshotId: string): CarrelError {
  const hours = limits.transferMs / 3_600_000
  return new CarrelError('unavailable', `Cannot ${kind} snapshot "${snapshotId}": it takes longer than ${hours} hours`)
}

function deleted(snapshotId: string): CarrelError {
  return new CarrelError('not_found', `Cannot export snapshot "${snapshotId}": it has been deleted`)
}
