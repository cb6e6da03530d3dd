import { readFileSync } from 'node:fs'
import type { Program } from '../../computers/processes/program.ts'

const source = readFileSync(new URL('persistent-shell.sh', import.meta.url), 'utf8')

/**
 * Returns how a command is run that continues with the state that the one before it left. Each command is a process of its
 * own, with its own output, exit code and time limit; the state is a file in the computer, so that it survives the server.
 */
export function persistentShell(command: string): Program {
  return { argv: ['bash', '-c', source], stdin: command }
}
