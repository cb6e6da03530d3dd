/** How something does that the server cannot do without, or not fully: a program beside it, or a store. */
export interface HelperState {
  name: string
  status: 'ok' | 'degraded'
  /** Since when it is so. */
  sinceMs: number
  /** What does not work, in words that anybody may read: no path, no id, no secret. Of one that is degraded. */
  reason?: string
}

/**
 * What is known of each helper. Who watches one reports it, and reading costs nothing and waits for nobody, so that
 * `GET /health` may tell it to everybody.
 */
export class HelperStates {
  readonly #states = new Map<string, HelperState>()

  /** `reason` when it is degraded. True when it was otherwise before. */
  report(name: string, reason?: string): boolean {
    const status = reason === undefined ? 'ok' : 'degraded'
    const known = this.#states.get(name)
    if (known?.status === status && known.reason === reason) return false
    const sinceMs = known?.status === status ? known.sinceMs : Date.now()
    this.#states.set(name, { name, status, sinceMs, ...(reason === undefined ? {} : { reason }) })
    return known?.status !== status
  }

  all(): HelperState[] {
    return [...this.#states.values()]
  }
}
