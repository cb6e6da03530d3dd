import { limits } from '../../../config/limits.ts'
import type { ConnectedProcess, ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import { newId } from '../../ids.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import { findComputer, type AccessibleComputer } from '../access/open-computer.ts'
import { keepInUse } from '../access/keep-in-use.ts'
import type { ComputersContext } from '../computers.ts'
import { beginPaid } from '../credit/assert-credit.ts'
import { serverFiles, sshdConfig } from './server-files.ts'

/**
 * Returns the computer that a connection from outside is for, before its user has proved anything. Throws `not_found`,
 * and `computer_stopped` when it does not run: a stranger must not start it.
 */
export async function connectedComputer(
  engine: Pick<ComputersContext, 'db' | 'node' | 'images'>,
  computerId: string,
): Promise<AccessibleComputer<'run'>> {
  const row = await engine.db
    .selectFrom('computers')
    .select(['account_id', 'lifecycle'])
    .where('id', '=', computerId)
    .executeTakeFirst()
  const caller = { accountId: row?.account_id ?? '', tokenId: 'ssh' }
  const found =
    row?.account_id && policyOf(row).keepsFiles
      ? await findComputer(engine, caller, { id: computerId }, 'run')
      : undefined
  if (!found) throw new CarrelError('not_found', 'Cannot connect: there is no such computer')
  const { state } = found.row
  if (state === 'running') return found
  throw new CarrelError('computer_stopped', `Cannot connect: the computer is ${state}; start it, and connect again`, {
    details: { state },
  })
}

export interface OpenServer extends ConnectedProcess {
  /** Ends the server of this connection. */
  end: () => void
}

/**
 * Starts the computer's own SSH server for one connection, with who may connect now. The computer is in use until the
 * server has ended. Throws `conflict` for a computer without a server, and what `startProcess` throws.
 */
export async function openServer(engine: ComputersContext, computer: AccessibleComputer<'run'>): Promise<OpenServer> {
  const { id, accountId } = computer
  const { processDescriptors } = engine.budgets
  const endStart = await beginPaid(engine, computer)
  const shares = processDescriptors.sharesOf({ account: accountId })
  const lease = processDescriptors.take('connect', shares, limits.processDescriptors)
  const done = keepInUse(engine, computer)
  const release = () => {
    lease.release()
    done()
  }
  try {
    await engine.locks.sshAccess(id, async () => engine.driver.showFiles(id, await serverFiles(engine, computer)))
    const processId = newId()
    const connected = await engine.starts.run(accountId, () =>
      engine.driver.connect(id, {
        processId,
        argv: ['/bin/sh', '-c', script],
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
        cwd: '/',
        user: '0',
        owner: accountId,
        meta: { kind: sshKind, accountId },
      }),
    )
    const { process } = connected
    void process.wait().then(() => {
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

/** The kind of these processes, whose rows are not kept: a stranger can start them. */
const sshKind = 'ssh'

/** Returns whether a process is the SSH server of a connection. */
export function isOfConnection({ meta }: { meta: Record<string, unknown> }): boolean {
  return meta['kind'] === sshKind
}

/** Ends an SSH server that an earlier server of this node started, whose connection is gone. */
export function endEarlierServer({ driver }: Pick<ComputersContext, 'driver'>, process: ProcessHandle): void {
  void process.kill('SIGKILL', 'process').catch(() => {})
  void process.wait().then(() => driver.forget(process.processId).catch(() => {}))
}

/** The server reads the end of its connection, and ends its sessions; one that does not is killed. */
function end({ process, stdin, stdout }: ConnectedProcess): void {
  stdin.destroy()
  stdout.destroy()
  const timer = setTimeout(() => void process.kill('SIGKILL', 'process').catch(() => {}), limits.sshEndMs)
  void process.wait().then(() => clearTimeout(timer))
}

/** Exit codes of the script below. */
export const noServer = 113
export const noFiles = 114

/** The directory is the server's own; packages leave its creation to an init system. */
const script = `
[ -x /usr/sbin/sshd ] || exit ${noServer}
[ -r ${sshdConfig} ] || exit ${noFiles}
[ -d /run/sshd ] || mkdir -p -m 0755 /run/sshd
exec /usr/sbin/sshd -i -e -f ${sshdConfig}`
