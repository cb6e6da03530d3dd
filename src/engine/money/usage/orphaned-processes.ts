import { setImmediate as turn } from 'node:timers/promises'
import type { MoneyContext } from '../money.ts'
import type { Context } from '../../context.ts'

/**
 * Checks sandboxes for work that was not started here: what a command or a kernel leaves running, such as a server with
 * `setsid`, and threads of a kernel. A program costs as a process does, from its start to the last check that finds it;
 * everything else costs by the processor time that the computer uses. An idle kernel is free.
 *
 * Called each second, for all accounts or for one. Only sandboxes in which something has happened since are searched.
 */
export async function findOrphaned(engine: Pick<MoneyContext, 'driver' | 'meter'>, accountId?: string): Promise<void> {
  const { driver, meter } = engine
  let checks = 0
  for (const computer of meter.unattended(accountId)) {
    // What started while others were checked is found by the next check.
    if (computer.isAttended) continue
    const { computerId } = computer.facts
    if (computer.isStarting || !computer.hasChanged()) computer.recordNoChange()
    else {
      // In the same turn of the event loop: nothing starts in between.
      const programsMs = await driver.orphanedMs(computerId).catch(() => undefined)
      computer.recordCheck(programsMs, hasKernel(engine, computerId))
    }
    if (++checks % checksAtOnce === 0) await turn()
  }
}

function hasKernel({ driver }: Pick<Context, 'driver'>, computerId: string): boolean {
  return driver.processesOn(computerId).some(({ exit, meta }) => !exit && meta.kind === 'kernel')
}

/** A check takes some 30 microseconds: requests do not wait for long. */
const checksAtOnce = 32
