import type { ComputersContext } from '../computers.ts'

/**
 * Returns whether a computer runs, once the change that is under way is over, if there is one. A transfer ends the
 * programs of a computer first and its access sessions later, and does both while it holds the computer's lock.
 */
export async function runsOnceSettled(
  { locks, driver }: Pick<ComputersContext, 'locks' | 'driver'>,
  computerId: string,
): Promise<boolean> {
  await locks.computer(computerId, async () => {})
  return (await driver.get(computerId))?.running === true
}
