import { assemble, type Parts } from './assemble.ts'
import { beginDesktopImage } from './computers/durable/build-desktop-image.ts'
import { recordUnexpectedStop } from './computers/lifecycle/reconcile.ts'
import { pruneOutput } from './computers/processes/prune-processes.ts'
import type { Engine } from './engine.ts'
import { settleRunning } from './money/usage/settle-usage.ts'
import { recover } from './recover.ts'
import { schedule } from './schedule.ts'

export interface OpenEngine {
  engine: Engine
  /** Stops the periodic work and writes what is not written yet; computers continue to run. */
  close: () => Promise<void>
}

/** Assembles the engine, recovers what an earlier server of the node left, and starts the periodic work. */
export async function openEngine(parts: Parts): Promise<OpenEngine> {
  const { driver, log } = parts
  let pruning: Promise<void> | undefined
  const prune = (work: (engine: Engine) => Promise<void>) =>
    (pruning ??= work(engine).finally(() => {
      pruning = undefined
    }))
  const engine = await assemble(
    parts,
    () =>
      void prune(pruneOutput).catch((error: unknown) =>
        log.error({ err: error }, 'cannot prune the output of processes; will try again'),
      ),
  )
  driver.onStopped(
    (id, reason) =>
      void recordUnexpectedStop(engine, id, reason).catch((error: unknown) =>
        log.error({ err: error, computer: id }, 'cannot record a stop'),
      ),
  )
  driver.onOutput((process) => engine.portWatch.printed(process))
  // Recovery can take longer than the lease.
  await engine.nodeLease.start()
  await recover(engine)
  engine.warmPool.fill()
  await beginDesktopImage(engine)
  const stopTasks = schedule(engine, prune)
  const close = async () => {
    try {
      await stopTasks()
      await pruning?.catch(() => {})
      engine.sessionWatch.close()
      engine.portWatch.close()
      engine.creditClock.close()
      await engine.warmPool.close()
      await engine.recorder.flush()
      await settleRunning(engine)
    } finally {
      await engine.nodeLease.release()
    }
  }
  return { engine, close }
}
