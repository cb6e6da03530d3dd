import type { HelperState } from '../helper-states.ts'
import type { Context } from './context.ts'

/** Everything that the server cannot do without, and how each of it does. Asks nobody, so that anybody may ask for it. */
export function helpersOf({ driver, server }: Pick<Context, 'driver' | 'server'>): HelperState[] {
  return [...server.helpers.all(), ...driver.health()]
}
