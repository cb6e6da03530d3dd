import type { Context } from '../../context.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { hasDesktop } from './has-desktop.ts'

/** Where a VNC client connects, and the user name that it gives. */
export interface VncAddress {
  host: string
  port: number
  user: string
}

/** Returns where VNC clients reach the desktop of a computer; undefined where there is no port or no desktop. */
export function vncAddress(
  { settings: { vncPort: port, sshHost: host } }: Pick<Context, 'settings'>,
  { id, image, row }: AccessibleComputer,
): VncAddress | undefined {
  return port === undefined || !hasDesktop(image) ? undefined : { host, port, user: row.name ?? id }
}
