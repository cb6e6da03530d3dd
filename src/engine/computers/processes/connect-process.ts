import { limits } from '../../../config/limits.ts'
import type { ConnectedProcess, ProcessHandle } from '../../../drivers/driver.ts'
import { newId } from '../../ids.ts'
import { keepInUse } from '../access/keep-in-use.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { beginPaid } from '../credit/assert-credit.ts'
import type { ConnectionKind } from './process-meta.ts'

interface Options {
  kind: ConnectionKind
  argv: string[]
  env: Record<string, string>
  cwd: string
  user: string
  timeoutMs?: number
}

/** A process that serves a connection. */
export interface ServingProcess extends ConnectedProcess {
  /** Ends the process, which reads the end of its connection; one that does not end by itself is killed. */
  end: () => void
}

/**
 * Starts a process that serves a connection of this server, and of which nothing is recorded. The computer is in use until
 * the process has ended, unless it only looks. Throws what `startProcess` throws.
 */
export async function connectProcess(
  engine: ComputersContext,
  computer: AccessibleComputer<'run'>,
  { kind, ...spec }: Options,
): Promise<ServingProcess> {
  const { id, accountId } = computer
  const { processDescriptors } = engine.budgets
  const endStart = await beginPaid(engine, computer)
  const shares = processDescriptors.sharesOf({ account: accountId })
  const lease = processDescriptors.take('connect', shares, limits.processDescriptors)
  const done = kind === 'look' ? () => {} : keepInUse(engine, computer)
  const release = () => {
    lease.release()
    done()
  }
  try {
    const processId = newId()
    const meta = { kind, accountId }
    const connected = await engine.starts.run(accountId, () =>
      engine.driver.connect(id, { ...spec, processId, owner: accountId, meta }),
    )
    void connected.process.wait().then(() => {
      release()
      void engine.driver.forget(processId).catch(() => {})
    })
    return { ...connected, end: () => end(connected) }
  } catch (error) {
    release()
    throw error
  } finally {
    endStart()
  }
}

/** Ends a process that an earlier server of this node started, whose connection is gone. */
export function endEarlierConnection({ driver }: Pick<ComputersContext, 'driver'>, process: ProcessHandle): void {
  void process.kill('SIGKILL', 'process').catch(() => {})
  void process.wait().then(() => driver.forget(process.processId).catch(() => {}))
}

function end({ process, stdin, stdout }: ConnectedProcess): void {
  stdin.destroy()
  stdout.destroy()
  const timer = setTimeout(() => void process.kill('SIGKILL', 'process').catch(() => {}), limits.connectionEndMs)
  void process.wait().then(() => clearTimeout(timer))
}
