import type { ComputerState } from '../../db/schema.ts'

/** What happens on a computer just now, for who looks on. Unlike the audit log, nothing of it is kept. */
export type LiveEvent =
  | { type: 'computer.state'; computerId: string; state: ComputerState; reason: string | undefined }
  | { type: 'port.detected'; computerId: string; port: OpenPort }
  | { type: 'port.closed'; computerId: string; port: OpenPort }

/** A TCP port on which something in a computer listens. */
export interface OpenPort {
  port: number
  /** Where it is bound, e.g. `0.0.0.0`; the widest when there are several. */
  address: string
  /** Whether a preview gets to it. */
  reachable: boolean
  /** The process that it came of; undefined when that cannot be told. */
  processId: string | undefined
  detectedAtMs: number
}

type Listener = (event: LiveEvent) => void

/** Hands what happens to those who have subscribed to the computer, in the order in which it happens. */
export class LiveEvents {
  readonly #listeners = new Map<string, Set<Listener>>()

  /** The returned function ends it. A listener must not throw. */
  subscribe(computerId: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(computerId) ?? new Set()
    this.#listeners.set(computerId, listeners)
    // A function that is given twice is called twice.
    const own: Listener = (event) => listener(event)
    listeners.add(own)
    return () => {
      listeners.delete(own)
      if (listeners.size === 0 && this.#listeners.get(computerId) === listeners) this.#listeners.delete(computerId)
    }
  }

  tell(event: LiveEvent): void {
    for (const listener of [...(this.#listeners.get(event.computerId) ?? [])]) listener(event)
  }
}
