import { limits } from '../../../config/limits.ts'
import type { ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { beginPaid } from '../credit/assert-credit.ts'
import { newId } from '../../ids.ts'
import { environment } from './environment.ts'
import { processMeta, type ProcessMeta } from './process-meta.ts'
import type { Program } from './program.ts'
import type { ComputersContext } from '../computers.ts'
import type { Context } from '../../context.ts'

export interface ProcessOptions {
  kind: ProcessMeta['kind']
  program: Program
  /** The id of the process, where it was chosen before; a new one when undefined. */
  processId?: string
  /** The command as the caller wrote it, for lists. */
  command: string
  /**
   * The name that the caller gives the process; its id when undefined. The name of a running process of the computer is
   * refused with `already_exists`.
   */
  name?: string
  env?: Record<string, string>
  cwd?: string
  user?: string
  tty?: { cols: number; rows: number }
  /** Keeps stdin open after the program's own source was written to it. */
  stdin?: boolean
  timeoutMs?: number
  /** True for a process that ends when its client does not come back. */
  attended?: boolean
  /** True for a process whose output waits until it is read, so that none is dropped. */
  backpressure?: boolean
  /** True for one that waits only while somebody reads its output: see `UnreadOutput`. */
  detached?: boolean
  /** True to keep the arguments and the directory, for lists that show them. */
  keepsConfig?: boolean
}

/**
 * Starts a process on a running computer. Its end is recorded whether or not anybody waits for it, and until then the
 * computer is in use. A background process or a kernel is recorded before this resolves.
 */
export function startProcess(
  engine: ComputersContext,
  computer: AccessibleComputer<'run'>,
  options: ProcessOptions,
): Promise<ProcessHandle> {
  const start = () => startNow(engine, computer, options)
  // Of several concurrent starts of one name, one wins.
  return options.name === undefined ? start() : engine.locks.processName(computer.id, options.name, start)
}

async function startNow(
  engine: ComputersContext,
  computer: AccessibleComputer<'run'>,
  options: ProcessOptions,
): Promise<ProcessHandle> {
  assertAdmissible(engine, computer.id, options.name)
  const started = countStart(engine, computer.id)
  try {
    const endStart = await beginPaid(engine, computer)
    try {
      return await startPaid(engine, computer, options, started)
    } finally {
      endStart()
    }
  } finally {
    started()
  }
}

/** @param started called as soon as the driver counts the process */
async function startPaid(
  engine: ComputersContext,
  computer: AccessibleComputer<'run'>,
  options: ProcessOptions,
  started: () => void,
): Promise<ProcessHandle> {
  const { driver } = engine
  const { accountId, image } = computer
  const { tokenId, isServer } = computer.caller
  const processId = options.processId ?? newId()
  const { program } = options
  const start = () =>
    driver.exec(computer.id, {
      processId,
      argv: program.argv,
      env: {
        ...environment(image.env, options.env),
        ...(options.tty ? { TERM: options.env?.TERM ?? 'xterm-256color' } : {}),
      },
      cwd: options.cwd ?? image.workdir,
      user: options.user ?? image.user,
      stdin: options.stdin === true || program.stdin !== undefined,
      tty: options.tty,
      backpressure: options.backpressure === true || options.detached === true,
      timeoutMs: options.timeoutMs,
      owner: accountId,
      meta: processMeta({
        accountId,
        tokenId,
        isServer: isServer === true,
        name: options.name ?? processId,
        kind: options.kind,
        command: options.command,
        attended: options.attended === true,
        ...(options.detached ? { detached: true } : {}),
        ...(options.keepsConfig ? { config: { argv: program.argv, cwd: options.cwd ?? image.workdir } } : {}),
      }),
    })
  const { processDescriptors } = engine.budgets
  const shares = processDescriptors.sharesOf({ account: accountId })
  const lease = processDescriptors.take('start the process', shares, limits.processDescriptors)
  const handle = await engine.starts.run(accountId, start).catch(async (error: unknown) => {
    lease.release()
    throw (await isRunning(engine, computer.id)) ? error : stoppedError(error)
  })
  started()
  engine.startedProcesses++
  engine.portWatch.watch(handle)
  if (!isServer && options.kind !== 'kernel') engine.meter.began(computer.id, processId, tokenId)
  void handle.wait().then((exit) => {
    lease.release()
    engine.meter.ended(computer.id, processId)
    engine.recorder.ended(handle, exit)
    engine.activity.touch(computer.id)
  })
  if (program.stdin !== undefined) await writeSource(handle, program.stdin, options.stdin === true)
  if (options.kind === 'background' || options.kind === 'kernel') await engine.recorder.started(handle)
  return handle
}

/**
 * Counts a process that is being started. It is called in the same turn as the check of the limit, so that concurrent
 * starts cannot exceed the limit together. Returns a function that ends the count, which may be called twice.
 */
function countStart({ starting }: Pick<ComputersContext, 'starting'>, computerId: string): () => void {
  starting.set(computerId, (starting.get(computerId) ?? 0) + 1)
  let isCounted = true
  return () => {
    if (!isCounted) return
    isCounted = false
    const left = starting.get(computerId)! - 1
    if (left > 0) starting.set(computerId, left)
    else starting.delete(computerId)
  }
}

async function isRunning(engine: Pick<Context, 'driver'>, computerId: string): Promise<boolean> {
  return (await engine.driver.get(computerId))?.running === true
}

/**
 * Returns the error for a computer that stopped after it was looked up. The driver's own error would send the caller
 * looking for a wrong id.
 */
function stoppedError(cause: unknown): CarrelError {
  return new CarrelError('computer_stopped', 'Cannot start the process: its computer has just stopped', { cause })
}

async function writeSource(handle: ProcessHandle, source: string, keepOpen: boolean): Promise<void> {
  try {
    const bytes = Buffer.from(source)
    for (let at = 0; at < bytes.length; at += limits.sourcePieceBytes)
      await handle.write(bytes.subarray(at, at + limits.sourcePieceBytes))
    if (!keepOpen) await handle.closeStdin()
  } catch (error) {
    // The process ended before it had read all its source: its exit says why.
    if (!(error instanceof CarrelError)) throw error
  }
}

function assertAdmissible(
  engine: Pick<ComputersContext, 'driver' | 'starting'>,
  computerId: string,
  name: string | undefined,
): void {
  const running = engine.driver.processesOn(computerId).filter(({ exit }) => !exit)
  if (running.length + (engine.starting.get(computerId) ?? 0) >= limits.processesPerComputer) {
    throw new CarrelError(
      'limit_reached',
      `Cannot start another process: the computer runs ${limits.processesPerComputer}, which is the limit`,
      {
        details: { limit: limits.processesPerComputer },
      },
    )
  }
  if (name !== undefined && running.some((process) => process.meta.name === name)) {
    throw new CarrelError(
      'already_exists',
      `Cannot start process ${JSON.stringify(name)}: one of that name is running`,
      { details: { field: 'processId' } },
    )
  }
}
