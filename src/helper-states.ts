/** The health of a helper: a program or a store that the server depends on, wholly or in part. */
export interface HelperState {
  name: string
  status: 'ok' | 'degraded'
  /** When the status last changed. */
  sinceMs: number
  /** What does not work, if degraded. The text is public: it has no path, no id and no secret. */
  reason?: string
}

/**
 * The last reported state of each helper. Whatever watches a helper reports its state here; reading it costs nothing
 * and waits for nothing, so `GET /health` can serve it to everybody.
 */
export class HelperStates {
  readonly #states = new Map<string, HelperState>()

  /** Records a helper as degraded for a `reason`, or as ok without one. Returns whether its status changed. */
  report(name: string, reason?: string): boolean {
    const status = reason === undefined ? 'ok' : 'degraded'
    const known = this.#states.get(name)
    if (known?.status === status && known.reason === reason) return false
    const sinceMs = known?.status === status ? known.sinceMs : Date.now()
    this.#states.set(name, { name, status, sinceMs, ...(reason === undefined ? {} : { reason }) })
    return known?.status !== status
  }

  /** Returns the state of every helper that was reported. */
  all(): HelperState[] {
    return [...this.#states.values()]
  }
}
