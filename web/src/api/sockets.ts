import { endSession } from './session.ts'

/** The close codes of the page's WebSockets that mean more than a broken connection. */
const sessionOver = 4401
const computerStopped = 4409

/** Returns the address of a WebSocket of this origin. */
export function socketUrl(path: string): string {
  const { protocol, host } = window.location
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}${path}`
}

/** Returns whether a WebSocket that closed is worth another attempt. Ends the session of the page where it is over. */
export function mayReconnect({ code, reason }: { code: number; reason: string }): boolean {
  if (code === sessionOver) endSession('over', reason)
  else if (code === computerStopped) endSession('stopped', reason)
  else return true
  return false
}
