import { asCarrelError, CarrelError } from '../../../errors.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'

/** Where OpenSSH's server is, in every distribution. */
export const sshServerPath = '/usr/sbin/sshd'

type FilesContext = Pick<ComputersContext, 'driver'>

/** Returns whether a computer has an SSH server, by its files: its users may have installed or removed one. */
export async function hasSshServer({ driver }: FilesContext, { id }: AccessibleComputer): Promise<boolean> {
  try {
    const { type, mode } = await driver.files(id).stat(sshServerPath)
    return type === 'file' && (mode & 0o111) !== 0
  } catch (error) {
    if (missing.has(asCarrelError(error).code)) return false
    throw error
  }
}

/** Throws `conflict` where a computer has no SSH server. */
export async function requireSshServer(engine: FilesContext, computer: AccessibleComputer): Promise<void> {
  if (await hasSshServer(engine, computer)) return
  throw new CarrelError(
    'conflict',
    'Cannot connect by SSH: the computer has no SSH server; install the package openssh-server in it',
  )
}

/** What the way to the program may be in files of a guest's making. */
const missing = new Set(['not_found', 'invalid_request'])
