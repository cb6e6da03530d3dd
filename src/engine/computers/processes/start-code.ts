import type { ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { programFor, type Language } from './program.ts'
import { startProcess, type ProcessOptions } from './start-process.ts'

/** Starts a process with code of a language: that of a shell with Bash, or with `sh` where the computer has no Bash. */
export async function startCode(
  engine: ComputersContext,
  computer: AccessibleComputer<'run'>,
  { language, code, ...options }: Omit<ProcessOptions, 'program'> & { language: Language; code: string },
): Promise<ProcessHandle> {
  const program = programFor(language, code)
  try {
    return await startProcess(engine, computer, { ...options, program })
  } catch (error) {
    const [shell, ...args] = program.argv
    if (shell !== 'bash' || !(error instanceof CarrelError) || error.code !== 'not_found') throw error
    const plain = { ...program, argv: ['sh', ...args] }
    // Without any shell, or with a directory that is not there, the first error says what is missing.
    return startProcess(engine, computer, { ...options, program: plain }).catch(() => Promise.reject(error))
  }
}
