import { setImmediate as turn } from 'node:timers/promises'
import type { MoneyContext } from '../money.ts'
import type { Context } from '../../context.ts'

/**
 * Finds what works in sandboxes without having been started here: what a command or a kernel leaves behind, such as a
 * server with `setsid`, and threads of a kernel. A program costs as a process does, from its begin up to the last look
 * at which it is there; everything else by the processor time that the computer uses. A kernel that waits is free.
 *
 * Called each second, for all accounts or for one. Only sandboxes in which anything happened since are looked into.
 */
export async function findOrphaned(engine: Pick<MoneyContext, 'driver' | 'meter'>, accountId?: string): Promise<void> {
  const { driver, meter } = engine
  const withKernel = computersWithKernel(engine)
  let looks = 0
  for (const computer of meter.unattended(accountId)) {
    // What began while others were looked at is seen by the next look.
    if (computer.isAttended) continue
    const { computerId } = computer.facts
    if (computer.isStarting || !computer.hasChanged()) computer.sawNoChange()
    else {
      // In the same turn of the event loop: nothing is begun in between.
      const programsMs = await driver.orphanedMs(computerId).catch(() => undefined)
      computer.saw(programsMs, withKernel.has(computerId))
    }
    if (++looks % looksAtOnce === 0) await turn()
  }
}

function computersWithKernel({ driver }: Pick<Context, 'driver'>): Set<string> {
  const found = driver.processes().filter(({ exit, meta }) => !exit && meta.kind === 'kernel')
  return new Set(found.map(({ computerId }) => computerId))
}

/** Some 30 microseconds each: requests do not wait for long. */
const looksAtOnce = 32
