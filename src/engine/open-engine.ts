import { once } from 'node:events'
import { availableParallelism, totalmem } from 'node:os'
import type { Kysely } from 'kysely'
import type { Logger } from 'pino'
import { limits, outputInAllBytes } from '../config/limits.ts'
import { readPriceBook } from '../config/price-book.ts'
import type { Settings } from '../config/settings.ts'
import { truncateWal } from '../db/truncate-wal.ts'
import type { Database } from '../db/schema.ts'
import type { Driver, ImageInfo } from '../drivers/driver.ts'
import { HelperStates } from '../helper-states.ts'
import { KeyedLock } from '../keyed-lock.ts'
import { ownerAccount } from './identity/accounts/owner.ts'
import { Activity } from './computers/lifecycle/activity.ts'
import { reconcile, settleUntrue, stoppedByItself } from './computers/lifecycle/reconcile.ts'
import { sweepLeases } from './computers/lifecycle/sweep.ts'
import { WarmPool } from './computers/lifecycle/warm-pool.ts'
import { CreditClock } from './money/credit/credit-clock.ts'
import { CreditWatch } from './money/credit/credit-watch.ts'
import { recallCredit } from './money/credit/recall-credit.ts'
import { watchAccount, watchCredit, watchUnattended } from './computers/credit/watch-credit.ts'
import { deleteDue } from './deletion/delete-due.ts'
import { LiveConnections } from './identity/accounts/live-connections.ts'
import { DescriptorBudget } from './budgets/descriptor-budget.ts'
import { descriptorLimit } from './budgets/descriptor-limit.ts'
import { AccountRemovals } from './identity/accounts/account-removals.ts'
import type { Engine } from './engine.ts'
import { FairSemaphore } from '../fair-semaphore.ts'
import { ResponseCache } from './idempotency/response-cache.ts'
import { pruneKeys } from './idempotency/once.ts'
import { Kernels } from './computers/interpreters/kernels.ts'
import { grantToAll } from './money/ledger/grant.ts'
import { MemoryBudget } from './budgets/memory-budget.ts'
import { MachinePayments } from './money/machine-payments/machine-payments.ts'
import { settlePending } from './money/machine-payments/settle-payment.ts'
import { openPaymentSecret } from './money/machine-payments/secret.ts'
import { failInterrupted } from './operations/operations.ts'
import { openStripe } from './money/payments/open-stripe.ts'
import { reconcilePayments } from './money/payments/reconcile-payments.ts'
import { ExposedPorts } from './computers/ports/exposed-ports.ts'
import { LiveEvents } from './computers/live-events.ts'
import { Watchers } from './computers/files/watchers.ts'
import { PortWatch } from './computers/ports/port-watch.ts'
import { ClientPresence } from './computers/processes/client-presence.ts'
import { forgetUnrecorded, pruneOutput, pruneProcesses } from './computers/processes/prune-processes.ts'
import { OutputRetention, keptBytesOf } from './computers/processes/output-retention.ts'
import { ProcessRecorder } from './computers/processes/recorder.ts'
import { recoverProcesses } from './computers/processes/recover-processes.ts'
import { clock, ComputeMeter } from './money/usage/compute-meter.ts'
import { measureStorage } from './money/usage/measure-storage.ts'
import { recoverUsage } from './money/usage/recover-usage.ts'
import { settleRunning } from './money/usage/settle-usage.ts'
import { AccessTokens } from './identity/auth/access-tokens.ts'
import { pruneInvitations } from './identity/workspaces/invitations.ts'
import { pruneFirstCredits } from './identity/auth/first-credit.ts'
import { pruneLinks } from './identity/auth/magic-links.ts'
import { Mail } from './identity/auth/mail.ts'
import { OwnTokens } from './identity/auth/own-tokens.ts'
import { openSigningKey } from './identity/auth/signing-key.ts'
import { AuthCache } from './identity/auth/auth-cache.ts'
import { TrustedIssuers } from './identity/auth/trusted-issuers.ts'
import { pruneWalletProofs } from './identity/auth/wallet.ts'

interface Parts {
  db: Kysely<Database>
  driver: Driver
  settings: Settings
  log: Logger
  image: ImageInfo
  stopping: AbortSignal
  closing: AbortSignal
}

export interface OpenEngine {
  engine: Engine
  /** Ends what runs in the background and writes what is not written; computers go on. */
  close: () => Promise<void>
}

/** Puts the engine together, and what was left by a server before this one in order. */
export async function openEngine({ db, driver, settings, log, image, stopping, closing }: Parts): Promise<OpenEngine> {
  const cores = availableParallelism()
  const liveEvents = new LiveEvents()
  const prices = readPriceBook(settings.priceBook)
  const meter = new ComputeMeter({ ...clock, cpuMicros: (computerId) => driver.cpuMicros(computerId) })
  const accountRemovals = new AccountRemovals()
  let pruning: Promise<void> | undefined
  const prune = (work: (engine: Engine) => Promise<void>) =>
    (pruning ??= work(engine)
      .catch((error: unknown) => log.error({ err: error }, 'cannot forget ended processes; will try again'))
      .finally(() => {
        pruning = undefined
      }))
  const accessTokens = new AccessTokens(await openSigningKey(settings.dataDirectory), () => originOf(settings))
  const issuers = new TrustedIssuers(settings.oidcIssuers)
  const helpers = new HelperStates()
  const engine: Engine = {
    db,
    driver,
    settings,
    log,
    helpers,
    locks: new KeyedLock(),
    activity: new Activity(),
    exposedPorts: new ExposedPorts(),
    recorder: new ProcessRecorder({
      db,
      driver,
      log,
      helpers,
      onEnded: (row) => {
        if (engine.outputRetention.add({ ...row, bytes: keptBytesOf(row) })) void prune(pruneOutput)
      },
    }),
    responseCache: new ResponseCache(),
    outputRetention: new OutputRetention(() => outputInAllBytes(driver.metrics().disk.sizeBytes)),
    warmPool: new WarmPool(() => engine),
    clientPresence: new ClientPresence(),
    liveEvents,
    watchers: new Watchers(),
    portWatch: new PortWatch(driver, liveEvents, log),
    kernels: new Kernels(),
    memory: new MemoryBudget({
      totalBytes: Math.min(limits.largeMemoryBytes, totalmem() / 4),
      accountBytes: limits.largeMemoryPerAccountBytes,
      maxWaiting: limits.largeMemoryWaiting,
      patienceMs: limits.largeMemoryPatienceMs,
    }),
    prices,
    meter,
    credit: new CreditWatch(prices),
    creditClock: new CreditClock({
      meter,
      price: prices.meters.compute,
      everyMs: settings.sweepIntervalMs,
      look: (accountId) =>
        void watchAccount(engine, accountId).catch((error: unknown) =>
          log.error({ err: error, account: accountId }, 'cannot look whether an account can pay'),
        ),
    }),
    ownerId: await ownerAccount(db),
    stripe: await openStripe(settings),
    accountRemovals,
    liveConnections: new LiveConnections(db, accountRemovals),
    mail: new Mail(settings, log),
    accessTokens,
    issuers,
    ownTokens: new OwnTokens(accessTokens, issuers),
    callers: new AuthCache(db),
    machinePayments: new MachinePayments(await openPaymentSecret(settings), () => originOf(settings)),
    origin: () => originOf(settings),
    descriptors: new DescriptorBudget(descriptorLimit()),
    processDescriptors: new DescriptorBudget(descriptorLimit()),
    creates: new FairSemaphore({
      doing: 'start the sandbox',
      places: cores * 2,
      patienceMs: limits.createPatienceMs,
      maxWaitingOfOne: limits.waitingCreatesPerAccount,
      maxWaiting: limits.waitingInAll,
    }),
    starts: new FairSemaphore({
      doing: 'start the process',
      places: cores * 2,
      patienceMs: limits.startPatienceMs,
      maxWaitingOfOne: limits.waitingStartsPerAccount,
      maxWaiting: limits.waitingInAll,
    }),
    starting: new Map(),
    defaultImage: image,
    stopping,
    closing,
    startedProcesses: 0,
  }
  driver.onStopped(
    (id, reason) =>
      void stoppedByItself(engine, id, reason).catch((error: unknown) =>
        log.error({ err: error, computer: id }, 'cannot record a stop'),
      ),
  )
  driver.onPrinted((process) => engine.portWatch.printed(process))
  // Traces of a deletion that a crash came after.
  await truncateWal(db)
  await grantToAll(db, prices)
  await recallCredit(engine)
  await reconcile(engine)
  await recoverProcesses(engine)
  await recoverUsage(engine)
  await forgetUnrecorded(engine)
  await failInterrupted(engine)
  await pruneKeys(engine, { unfinished: true })
  engine.warmPool.fill()
  // Nobody waits for a provider's answer, neither at the start nor at the end.
  const stopped = once(stopping, 'abort')
  const lookThroughPayments = async (atStart: boolean) =>
    void (await Promise.race([reconcilePayments(engine, { atStart }), stopped]))
  void lookThroughPayments(true).catch((error: unknown) =>
    log.error({ err: error }, 'payments could not be looked through'),
  )
  // What went on meanwhile may be unpaid; the server does not wait for its end.
  const watched = watchCredit(engine).catch((error: unknown) => log.error({ err: error }, 'cannot look at the credit'))
  const timers = [
    repeat(engine, settings.sweepIntervalMs, () => sweepLeases(engine)),
    repeat(engine, settings.sweepIntervalMs, () => settleUntrue(engine)),
    repeat(engine, settings.sweepIntervalMs, () => prune(pruneProcesses)),
    repeat(engine, limits.usageIntervalMs, () => settleRunning(engine)),
    repeat(engine, settings.sweepIntervalMs, () => watchCredit(engine)),
    repeat(engine, Math.min(settings.sweepIntervalMs, limits.unattendedLookMs), () => watchUnattended(engine)),
    repeat(engine, settings.sweepIntervalMs, () => settlePending(engine)),
    repeat(engine, limits.storageIntervalMs, () => measureStorage(engine)),
    repeat(engine, pruneIntervalMs, () => pruneKeys(engine, { unfinished: false })),
    repeat(engine, pruneIntervalMs, () => pruneLinks(engine)),
    repeat(engine, pruneIntervalMs, () => pruneFirstCredits(engine)),
    repeat(engine, limits.paymentAskedMs, () => lookThroughPayments(false)),
    repeat(engine, settings.sweepIntervalMs, () => deleteDue(engine)),
    repeat(engine, limits.liveConnectionsCheckMs, () => engine.liveConnections.endLapsed()),
    repeat(engine, pruneIntervalMs, () => pruneWalletProofs(engine)),
    repeat(engine, pruneIntervalMs, () => pruneInvitations(engine)),
  ]
  const close = async () => {
    await watched
    for (const stop of timers) await stop()
    await pruning
    engine.portWatch.close()
    engine.creditClock.close()
    await engine.warmPool.close()
    await engine.recorder.flush()
    await settleRunning(engine)
  }
  return { engine, close }
}

function originOf({ publicUrl, host, port }: Settings): string {
  return publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Does something every so often, never twice at a time. The returned function waits for a turn that runs. */
function repeat(engine: Engine, everyMs: number, work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  const timer = setInterval(() => {
    running ??= work()
      .catch((error: unknown) => engine.log.error({ err: error }, 'a periodic task failed'))
      .finally(() => {
        running = undefined
      })
  }, everyMs)
  return async () => {
    clearInterval(timer)
    await running
  }
}

const pruneIntervalMs = 3_600_000
