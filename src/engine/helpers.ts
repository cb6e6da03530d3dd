import type { HelperState } from '../helper-states.ts'
import type { Engine } from './engine.ts'

/** Everything that the server cannot do without, and how each of it does. Asks nobody, so that anybody may ask for it. */
export function helpersOf({ driver, helpers }: Pick<Engine, 'driver' | 'helpers'>): HelperState[] {
  return [...helpers.all(), ...driver.health()]
}
