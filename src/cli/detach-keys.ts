const ctrlP = 0x10
const ctrlQ = 0x11

/** Finds Ctrl-P Ctrl-Q, Docker's keys for detaching, in what is typed. */
export class DetachKeys {
  #holdsCtrlP = false

  /** Returns what to pass on, and whether the keys were pressed. A Ctrl-P is held until the next key. */
  take(typed: Uint8Array): { data: Uint8Array; isDetached: boolean } {
    const passed: number[] = []
    for (const key of typed) {
      if (this.#holdsCtrlP && key === ctrlQ) return { data: Uint8Array.from(passed), isDetached: true }
      if (this.#holdsCtrlP) passed.push(ctrlP)
      this.#holdsCtrlP = key === ctrlP
      if (!this.#holdsCtrlP) passed.push(key)
    }
    return { data: Uint8Array.from(passed), isDetached: false }
  }
}
