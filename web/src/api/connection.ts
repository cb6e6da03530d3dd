import { Store } from '../store.ts'

/** Whether the last request reached the server. */
export const reachable = new Store(true)
