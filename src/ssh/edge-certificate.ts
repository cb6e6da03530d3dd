import { readFile } from 'node:fs/promises'
import { SettingError } from '../config/settings.ts'
import type { Engine } from '../engine/engine.ts'

/**
 * Returns the certificate, its chain and its key for the ports of SSH and VNC, as PEM: the configured ones, or ones that
 * sign themselves. Throws a `SettingError` for a file that cannot be read.
 */
export async function edgeCertificate({ settings: { sshEdgePem: path }, ssh }: Engine): Promise<string> {
  if (path === undefined) return ssh.edgeCertificate()
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new SettingError(`Cannot start: CARREL_SSH_EDGE_PEM cannot be read: ${(error as Error).message}`)
  }
}
