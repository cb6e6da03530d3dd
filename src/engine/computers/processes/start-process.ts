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
  /** Its id, where that was chosen before; a new one when undefined. */
  processId?: string
  /** As the caller wrote it, for lists. */
  command: string
  /**
   * What the caller calls it; its id when undefined. A name of a running process of the computer is an
   * `already_exists`.
   */
  name?: string
  env?: Record<string, string>
  cwd?: string
  user?: string
  tty?: { cols: number; rows: number }
  /** Keeps stdin open after the program's own source went in. */
  stdin?: boolean
  timeoutMs?: number
  /** True for one that ends when its client is gone for good. */
  attended?: boolean
  /** True for one whose output waits for who follows it, so that none is dropped. */
  backpressure?: boolean
}

/**
 * Starts a process on a running computer. Its end is recorded whether or not somebody waits for it, and until then the
 * computer is in use. One that is to stay, in the background or as a kernel, is recorded before this resolves.
 */
export function startProcess(
  engine: ComputersContext,
  computer: AccessibleComputer<'run'>,
  options: ProcessOptions,
): Promise<ProcessHandle> {
  const start = () => startNow(engine, computer, options)
  // Of several starts of one name at once, one wins.
  return options.name === undefined ? start() : engine.locks.run(`${computer.id}/process/${options.name}`, start)
}

async function startNow(
  engine: ComputersContext,
  computer: AccessibleComputer<'run'>,
  options: ProcessOptions,
): Promise<ProcessHandle> {
  assertFree(engine, computer.id, options.name)
  const hasBegun = await beginPaid(engine, computer)
  try {
    return await startPaid(engine, computer, options)
  } finally {
    hasBegun()
  }
}

async function startPaid(
  engine: ComputersContext,
  computer: AccessibleComputer<'run'>,
  options: ProcessOptions,
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
      backpressure: options.backpressure,
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
      }),
    })
  const { processDescriptors } = engine.budgets
  const shares = processDescriptors.sharesOf({ account: accountId })
  const lease = processDescriptors.take('start the process', shares, limits.processDescriptors)
  const handle = await whileCounted(engine, computer.id, () => engine.starts.run(accountId, start)).catch(
    async (error: unknown) => {
      lease.release()
      throw (await runs(engine, computer.id)) ? error : stoppedMeanwhile(error)
    },
  )
  engine.startedProcesses++
  engine.portWatch.watch(handle)
  if (!isServer && options.kind !== 'kernel') engine.meter.began(computer.id, processId, tokenId)
  void handle.wait().then((exit) => {
    lease.release()
    engine.meter.ended(computer.id, processId)
    engine.recorder.ended(handle, exit)
    engine.activity.touch(computer.id)
  })
  if (program.stdin !== undefined) await feed(handle, program.stdin, options.stdin === true)
  if (options.kind === 'background' || options.kind === 'kernel') await engine.recorder.started(handle)
  return handle
}

/**
 * Counts a process from the moment in which there was room for it, so that of many starts at once none is one too many.
 */
async function whileCounted<T>(
  engine: Pick<ComputersContext, 'starting'>,
  computerId: string,
  start: () => Promise<T>,
): Promise<T> {
  const { starting } = engine
  starting.set(computerId, (starting.get(computerId) ?? 0) + 1)
  try {
    return await start()
  } finally {
    const left = starting.get(computerId)! - 1
    if (left > 0) starting.set(computerId, left)
    else starting.delete(computerId)
  }
}

async function runs(engine: Pick<Context, 'driver'>, computerId: string): Promise<boolean> {
  return (await engine.driver.list()).some(({ id, running }) => id === computerId && running)
}

/** The computer ended after it was looked up: what its driver says of that would send the caller looking for an id. */
function stoppedMeanwhile(cause: unknown): CarrelError {
  return new CarrelError('computer_stopped', 'Cannot start the process: its computer stopped in this moment', { cause })
}

async function feed(handle: ProcessHandle, source: string, keepOpen: boolean): Promise<void> {
  try {
    const bytes = Buffer.from(source)
    for (let at = 0; at < bytes.length; at += limits.sourcePieceBytes)
      await handle.write(bytes.subarray(at, at + limits.sourcePieceBytes))
    if (!keepOpen) await handle.closeStdin()
  } catch (error) {
    // It ended before it had read all of its source: its exit tells why.
    if (!(error instanceof CarrelError)) throw error
  }
}

function assertFree(
  engine: Pick<ComputersContext, 'driver' | 'starting'>,
  computerId: string,
  name: string | undefined,
): void {
  const running = engine.driver.processes().filter((process) => process.computerId === computerId && !process.exit)
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
