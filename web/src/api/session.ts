import { Store } from '../store.ts'

/**
 * How this page stands with the server: `live` until the server says otherwise, `stranger` if it never knew the
 * session, `over` if the session expired or was revoked, `stopped` if its computer stopped or changed hands.
 */
export interface SessionState {
  kind: 'live' | 'stranger' | 'over' | 'stopped'
  /** The server's words, empty where it gave none. */
  message: string
}

export const session = new Store<SessionState>({ kind: 'live', message: '' })

let known = false

/** Records that the server has accepted the session, so that a later refusal means that it is over. */
export function sessionAccepted(): void {
  known = true
}

/** Ends the session for the whole page. The first reason stays. */
export function endSession(kind: 'over' | 'stopped', message: string): void {
  if (session.value.kind !== 'live') return
  session.set({ kind: kind === 'over' && !known ? 'stranger' : kind, message })
}
