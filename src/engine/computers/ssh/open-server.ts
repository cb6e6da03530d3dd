import { CarrelError } from '../../../errors.ts'
import { policyOf } from '../../lifecycle-policy.ts'
import { findComputer, type AccessibleComputer } from '../access/open-computer.ts'
import { keepInUse } from '../access/keep-in-use.ts'
import type { ComputersContext } from '../computers.ts'
import { connectProcess, type ServingProcess } from '../processes/connect-process.ts'
import { requireSshServer, sshServerPath } from './has-ssh-server.ts'
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

/**
 * Starts the computer's own SSH server for one connection, with who may connect now. The computer is in use until the
 * server has ended. Throws `conflict` for a computer without a server, and what `startProcess` throws.
 */
export async function openServer(
  engine: ComputersContext,
  computer: AccessibleComputer<'run'>,
): Promise<ServingProcess> {
  const { id } = computer
  const done = keepInUse(engine, computer)
  try {
    await requireSshServer(engine, computer)
    await engine.locks.sshAccess(id, async () => engine.driver.showFiles(id, await serverFiles(engine, computer)))
    return await connectProcess(engine, computer, {
      kind: 'ssh',
      argv: ['/bin/sh', '-c', script],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      cwd: '/',
      user: '0',
    })
  } finally {
    done()
  }
}

/** Exit codes of the script below. */
export const noServer = 113
export const noFiles = 114

/** The directory is the server's own; packages leave its creation to an init system. */
const script = `
[ -x ${sshServerPath} ] || exit ${noServer}
[ -r ${sshdConfig} ] || exit ${noFiles}
[ -d /run/sshd ] || mkdir -p -m 0755 /run/sshd
exec ${sshServerPath} -i -e -f ${sshdConfig}`
