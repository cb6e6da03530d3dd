import { useSyncExternalStore } from 'react'

/** A value that changes, and tells whoever watches it. */
export class Store<T> {
  #value: T
  readonly #watchers = new Set<() => void>()

  constructor(value: T) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return
    this.#value = value
    for (const watcher of this.#watchers) watcher()
  }

  /** Calls `watcher` after each change. Returns the function that ends it. */
  watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }
}

/** Returns the value of a store, and renders the component again after each change. */
export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.watch, () => store.value)
}
