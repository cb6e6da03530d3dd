import type { ComputerState } from '../../db/schema.ts'

/** A change on a computer, for whoever is connected. Unlike the audit log, live events are not kept. */
export type LiveEvent =
  | { type: 'computer.state'; computerId: string; state: ComputerState; reason: string | undefined }
  | { type: 'port.detected'; computerId: string; port: OpenPort }
  | { type: 'port.closed'; computerId: string; port: OpenPort }

/** A TCP port on which something in a computer listens. */
export interface OpenPort {
  port: number
  /** The address it is bound to, e.g. `0.0.0.0`; the widest when there are several. */
  address: string
  /** Whether a preview can reach it. */
  reachable: boolean
  /** The process that opened it; undefined when that is unknown. */
  processId: string | undefined
  detectedAtMs: number
}

type Listener = (event: LiveEvent) => void

/** Passes events to the listeners of their computer, in the order in which they happen. */
export class LiveEvents {
  readonly #listeners = new Map<string, Set<Listener>>()

  /** Subscribes until the returned function is called. A listener must not throw. */
  subscribe(computerId: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(computerId) ?? new Set()
    this.#listeners.set(computerId, listeners)
    // Wrapped, so that a listener that is subscribed twice is called twice.
    const own: Listener = (event) => listener(event)
    listeners.add(own)
    return () => {
      listeners.delete(own)
      if (listeners.size === 0 && this.#listeners.get(computerId) === listeners) this.#listeners.delete(computerId)
    }
  }

  /** Passes a last event to the listeners of its computer; they get none after it. */
  end(event: LiveEvent): void {
    const listeners = this.#listeners.get(event.computerId) ?? []
    this.#listeners.delete(event.computerId)
    for (const listener of [...listeners]) listener(event)
  }

  emit(event: LiveEvent): void {
    for (const listener of [...(this.#listeners.get(event.computerId) ?? [])]) listener(event)
  }
}
