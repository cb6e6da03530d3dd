import type { HelperState } from '../helper-states.ts'
import type { Context } from './context.ts'

/**
 * Returns the state of every dependency that the server cannot work without, as last reported. Asks none of them, so
 * that anybody may call this at any rate.
 */
export function helpersOf({ driver, server }: Pick<Context, 'driver' | 'server'>): HelperState[] {
  return [...server.helpers.all(), ...driver.health()]
}
