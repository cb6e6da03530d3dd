import type { ProcessHandle } from '../../../drivers/driver.ts'

/** The name of the process that keeps the desktop of a computer. Names that callers give have no slash. */
export const desktopName = 'server/desktop'

/** Returns the command of the desktop's process, which names its port for a later server. */
export function desktopCommand(port: number): string {
  return `desktop on port ${port}`
}

/** Returns the port on the computer's loopback at which a process serves the desktop; undefined for any other process. */
export function desktopPort({ meta }: Pick<ProcessHandle, 'meta'>): number | undefined {
  if (meta.kind !== 'kernel' || meta.name !== desktopName) return undefined
  return Number(String(meta.command).split(' ').at(-1))
}
