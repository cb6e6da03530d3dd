import { once } from 'node:events'
import { limits } from '../config/limits.ts'
import { watchCredit, watchOrphans } from './computers/credit/watch-credit.ts'
import { settleInconsistent } from './computers/lifecycle/reconcile.ts'
import { sweepLeases } from './computers/lifecycle/sweep.ts'
import { takeDueSnapshots } from './computers/snapshots/automatic-snapshots.ts'
import { pruneProcesses } from './computers/processes/prune-processes.ts'
import { pruneSessions } from './computers/access-sessions/prune-sessions.ts'
import { pruneShares } from './computers/shares/prune-shares.ts'
import { pruneCertificates } from './computers/ssh/certificates/issue-certificate.ts'
import { endLapsed } from './computers/ssh/end-lapsed.ts'
import { deleteDue } from './deletion/delete-due.ts'
import type { Engine } from './engine.ts'
import { pruneVersions } from './environments/datasets/prune-versions.ts'
import { pruneRemoved } from './environments/datasets/remove-samples.ts'
import { settleInteractions } from './environments/interactions/settle-interactions.ts'
import { pruneSessions as pruneEnvironmentSessions } from './environments/sessions/prune-sessions.ts'
import { sweepSessions } from './environments/sessions/sweep-sessions.ts'
import { pruneKeys } from './idempotency/keys.ts'
import { pruneFirstCredits } from './identity/auth/first-credit.ts'
import { pruneLinks } from './identity/auth/magic-links.ts'
import { pruneWalletProofs } from './identity/auth/wallet.ts'
import { pruneInvitations } from './identity/workspaces/invitations.ts'
import { pruneOperations } from './operations/operations.ts'
import { settlePending } from './money/machine-payments/settle-payment.ts'
import { reconcilePayments } from './money/payments/reconcile-payments.ts'
import { measureSnapshots } from './money/usage/measure-snapshots.ts'
import { measureStorage } from './money/usage/measure-storage.ts'
import { settleRunning } from './money/usage/settle-usage.ts'
import { repeat } from './repeat.ts'
import { pruneUptime } from './uptime/uptime-hours.ts'

/**
 * Starts the periodic work. Returns a function that stops it and waits for tasks under way.
 *
 * @param prune prunes processes, never twice at a time
 */
export function schedule(
  engine: Engine,
  prune: (work: (engine: Engine) => Promise<void>) => Promise<void>,
): () => Promise<void> {
  const { log, settings, nodeLease } = engine
  const sweepMs = settings.sweepIntervalMs
  /** For work on what belongs to no node: one of the servers does it, which is right even if two do. */
  const onOneNode = (work: () => Promise<void>) => async () => (nodeLease.leads ? work() : undefined)
  // Neither starting nor stopping the server waits for a payment provider.
  const stopped = once(engine.server.stopping, 'abort')
  const checkPayments = async (atStart: boolean) => {
    if (nodeLease.leads) await Promise.race([reconcilePayments(engine, { atStart }), stopped])
  }
  void checkPayments(true).catch((error: unknown) => log.error({ err: error }, 'cannot check the payments'))
  // What continued while no server ran can be unpaid.
  const watched = watchCredit(engine).catch((error: unknown) => log.error({ err: error }, 'cannot check the credit'))
  const tasks: [everyMs: number, work: () => Promise<void>][] = [
    [sweepMs, () => sweepLeases(engine)],
    [sweepMs, () => settleInconsistent(engine)],
    [sweepMs, () => sweepSessions(engine)],
    [sweepMs, () => settleInteractions(engine)],
    [sweepMs, () => engine.operations.resume()],
    [sweepMs, () => prune(pruneProcesses)],
    [sweepMs, () => watchCredit(engine)],
    [Math.min(sweepMs, limits.unattendedCheckMs), () => watchOrphans(engine)],
    [sweepMs, onOneNode(() => settlePending(engine))],
    [sweepMs, () => deleteDue(engine)],
    [limits.usageIntervalMs, () => settleRunning(engine)],
    [limits.storageIntervalMs, () => measureStorage(engine)],
    [limits.storageIntervalMs, () => measureSnapshots(engine)],
    [snapshotCheckMs, () => takeDueSnapshots(engine)],
    [limits.paymentPollMinMs, () => checkPayments(false)],
    [limits.sshCheckMs, () => endLapsed(engine)],
    [limits.liveConnectionsCheckMs, () => engine.liveConnections.endLapsed()],
    [limits.uptimeCheckMs, () => engine.uptime.check()],
    [pruneIntervalMs, () => pruneKeys(engine, { unfinished: false })],
    [pruneIntervalMs, () => pruneRemoved(engine)],
    [pruneIntervalMs, () => pruneVersions(engine)],
    [pruneIntervalMs, onOneNode(() => pruneOperations(engine))],
    [pruneIntervalMs, onOneNode(() => pruneSessions(engine))],
    [pruneIntervalMs, onOneNode(() => pruneShares(engine))],
    [pruneIntervalMs, onOneNode(() => pruneEnvironmentSessions(engine))],
    [pruneIntervalMs, onOneNode(() => pruneLinks(engine))],
    [pruneIntervalMs, onOneNode(() => pruneFirstCredits(engine))],
    [pruneIntervalMs, onOneNode(() => pruneWalletProofs(engine))],
    [pruneIntervalMs, onOneNode(() => pruneInvitations(engine))],
    [pruneIntervalMs, onOneNode(() => pruneUptime(engine))],
    [pruneIntervalMs, onOneNode(() => pruneCertificates(engine))],
  ]
  const stops = tasks.map(([everyMs, work]) => repeat(log, everyMs, work))
  return async () => {
    await watched
    for (const stop of stops) await stop()
  }
}

const pruneIntervalMs = 3_600_000
const snapshotCheckMs = 60_000
