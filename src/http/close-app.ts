import { setTimeout as delay } from 'node:timers/promises'
import { limits } from '../config/limits.ts'
import type { App } from './app.ts'
import type { OpenRequests } from './open-requests.ts'

/**
 * Stops listening and waits for the requests in flight. When `closing` aborts, which makes long work give up, the
 * remaining requests are answered with an error; a client that does not read the response is cut off. Resolves at most
 * `limits.lastAnswerMs` after that.
 */
export async function closeApp(app: App, openRequests: OpenRequests, closing: AbortSignal): Promise<void> {
  const closed = app.close()
  // Closing would otherwise wait for connections that become idle meanwhile.
  const idle = setInterval(() => app.server.closeIdleConnections(), idleCheckMs)
  try {
    if (await isFirst(closed, aborted(closing))) return
    // A handler that knows more, such as the id of a process, first gets the chance to answer itself.
    if (await isFirst(closed, delay(ownAnswerMs))) return
    openRequests.refuseAll()
    await isFirst(closed, delay(limits.lastAnswerMs - ownAnswerMs))
  } finally {
    clearInterval(idle)
    app.server.closeAllConnections()
  }
}

async function isFirst(one: Promise<unknown>, other: Promise<unknown>): Promise<boolean> {
  return Promise.race([one.then(() => true), other.then(() => false)])
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

const idleCheckMs = 100
const ownAnswerMs = 300
