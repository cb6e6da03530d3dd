import type * as Ws from 'ws'
import type { WebSocketConstructor } from './exec-socket.ts'

/**
 * Returns the WebSocket of the package `ws`, else the runtime's own; undefined if there is neither. It is loaded when a
 * session is first opened, as most programs open none. A bundler for browsers replaces `ws` by a module without it.
 */
export async function defaultWebSocket(): Promise<WebSocketConstructor | undefined> {
  const { WebSocket }: Partial<Pick<typeof Ws, 'WebSocket'>> = await import('ws').catch(() => ({}))
  return (WebSocket ?? (globalThis as { WebSocket?: unknown }).WebSocket) as WebSocketConstructor | undefined
}
