import { limits } from '../../../config/limits.ts'
import type { ProcessExit, ProcessHandle } from '../../../drivers/driver.ts'
import type { Context } from '../../context.ts'
import { newId } from '../../ids.ts'
import type { ComputersContext } from '../computers.ts'
import { environment } from './environment.ts'

/**
 * Finds out whether programs can be started: runs `true` on a computer of the warm pool, which nobody gets meanwhile.
 * The process is the server's own: it is in no list, is not recorded, and counts as nobody's use. Returns `unknown` when
 * no computer is ready, and `degraded` when the program runs while something that computers depend on does not work.
 * Rejects when the program cannot be started or fails.
 */
export async function probeExec(engine: ComputersContext): Promise<'operational' | 'degraded' | 'unknown'> {
  const hasRun = await engine.warmPool.lend(async (computerId) => {
    await runTrue(engine, computerId)
    return true
  })
  if (!hasRun) return 'unknown'
  return engine.driver.health().every(({ status }) => status === 'ok') ? 'operational' : 'degraded'
}

async function runTrue(engine: ComputersContext, computerId: string): Promise<void> {
  const { driver, defaultImage, starts } = engine
  const { processDescriptors } = engine.budgets
  const shares = processDescriptors.sharesOf({ account: owner })
  const lease = processDescriptors.take('check the service', shares, limits.processDescriptors)
  try {
    const process = await starts.run(owner, () =>
      driver.exec(computerId, {
        processId: newId(),
        argv: ['true'],
        env: environment(defaultImage.env, undefined),
        cwd: '/',
        user: defaultImage.user,
        stdin: false,
        timeoutMs: limits.uptimeProbeMs,
        meta: { kind },
      }),
    )
    const { reason, exitCode } = await forgetProbe(engine, process)
    if (exitCode !== 0) throw new Error(`Cannot run a program: it ended with ${exitCode ?? 'no exit code'} (${reason})`)
  } finally {
    lease.release()
  }
}

/** Returns whether a process is one that the server started to check itself. */
export function isProbe({ meta }: Pick<ProcessHandle, 'meta'>): boolean {
  return meta['kind'] === kind
}

/** Waits for such a process, removes what the driver keeps of it, and returns its exit. */
export async function forgetProbe({ driver }: Pick<Context, 'driver'>, process: ProcessHandle): Promise<ProcessExit> {
  const exit = await process.wait()
  driver.release(process.processId)
  await driver.forget(process.processId)
  return exit
}

const kind = 'probe'
/** The key under which these starts queue, as they belong to no account. */
const owner = ''
