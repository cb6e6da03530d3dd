import { CarrelError } from '../errors.ts'
import type { Context } from './context.ts'

/**
 * Returns why the server cannot serve requests now, undefined if it can: it starts or stops, or its database fails. Asks
 * nothing, so that anybody may call this at any rate.
 */
export function whyNotReady({ server, databaseHealth }: Pick<Context, 'server' | 'databaseHealth'>) {
  if (server.stopping.aborted) return notReady('the server is shutting down')
  if (!server.isStarted) return notReady('the server is starting')
  try {
    databaseHealth.assertWorks()
    return undefined
  } catch (error) {
    return error instanceof CarrelError ? error : notReady('the database fails')
  }
}

function notReady(reason: string): CarrelError {
  return new CarrelError('unavailable', `Cannot serve requests: ${reason}`)
}
