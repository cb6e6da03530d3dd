import type { ProcessHandle } from '../../../drivers/driver.ts'

/** The size of a terminal, in characters. */
export interface TerminalSize {
  cols: number
  rows: number
}

/** What is known of the process of a terminal, also by a later server. */
export interface TerminalFacts {
  /** Which of the computer's terminals it is, from 1 on. */
  number: number
  /** Its size at the start. */
  size: TerminalSize
}

/** The beginning of the names of these processes. Names that callers give have no slash. */
const prefix = 'server/terminal/'

/** Returns the name of the process of a terminal. */
export function terminalName(processId: string): string {
  return `${prefix}${processId}`
}

/** Returns the command of the process of a terminal, which tells its facts to a later server. */
export function terminalCommand({ number, size: { cols, rows } }: TerminalFacts): string {
  return `terminal ${number}, ${cols}x${rows}`
}

/** Returns the facts of a terminal; undefined for any other process. */
export function terminalFacts({ meta }: Pick<ProcessHandle, 'meta'>): TerminalFacts | undefined {
  if (meta.kind !== 'kernel' || !String(meta.name).startsWith(prefix)) return undefined
  const [, number, cols, rows] = /^terminal (\d+), (\d+)x(\d+)$/.exec(String(meta.command)) ?? []
  return { number: Number(number), size: { cols: Number(cols), rows: Number(rows) } }
}

/** The login shell of the user, as its computer's list of users names it. */
export const loginShell = [
  '/bin/sh',
  '-c',
  'shell=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f7)\n[ -x "$shell" ] || shell=/bin/bash\n[ -x "$shell" ] || shell=/bin/sh\nexec "$shell" -l',
]
