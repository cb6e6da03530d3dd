import { setTimeout as delay } from 'node:timers/promises'
import { limits } from '../../../config/limits.ts'
import type { SessionRow } from '../../../db/schema.ts'
import { CarrelError } from '../../../errors.ts'
import { findComputer } from '../../computers/access/open-computer.ts'
import { execute } from '../../computers/processes/execute.ts'
import type { EnvironmentsContext } from '../environments.ts'
import type { Task, TaskHealthcheck } from '../task.ts'

/**
 * Runs the health check of a task until it succeeds. Throws `unavailable` once it has failed as often as it may, and
 * `conflict` when the session ends meanwhile.
 */
export async function awaitHealthy(
  engine: EnvironmentsContext,
  session: SessionRow,
  { environment: { healthcheck } }: Task,
): Promise<void> {
  if (!healthcheck) return
  const startedAtMs = Date.now()
  let failures = 0
  for (;;) {
    if (await isHealthy(engine, session, healthcheck)) return
    const elapsedMs = Date.now() - startedAtMs
    const isStarting = elapsedMs < healthcheck.startPeriodMs
    if (!isStarting) failures++
    if (failures >= Math.max(1, healthcheck.retries) || elapsedMs > limits.sessionHealthcheckMs)
      throw new CarrelError(
        'unavailable',
        `Cannot make the session ready: the health check of its task did not succeed within ${elapsedMs} ms`,
      )
    await delay(isStarting ? healthcheck.startIntervalMs : healthcheck.intervalMs, undefined, {
      signal: engine.server.closing,
    })
  }
}

async function isHealthy(
  engine: EnvironmentsContext,
  { id, account_id: accountId }: SessionRow,
  { command, timeoutMs }: TaskHealthcheck,
): Promise<boolean> {
  const computer = await findComputer(engine, { accountId, tokenId: '', isServer: true }, { id }, 'run')
  if (computer?.row.state !== 'running')
    throw new CarrelError('conflict', 'Cannot check the health: the session has ended')
  const program = { argv: ['sh', '-c', command] }
  const { exit, release } = await execute(engine, computer, { kind: 'exec', program, command, timeoutMs })
  release()
  return exit.exitCode === 0
}
