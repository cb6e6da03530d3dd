import { isatty } from 'node:tty'
import type { ExecSession, TerminalSize } from '../../sdk/index.ts'
import type { Program } from './program.ts'

const defaultSize: TerminalSize = { cols: 80, rows: 24 }

export function terminalSize({ stdout, stderr }: Program): TerminalSize {
  return stdout.size ?? stderr.size ?? defaultSize
}

/**
 * Hands the terminal to the remote program: every key goes there, and it learns the size. The answer gives it back;
 * Node does so too at every end of this process but SIGKILL.
 */
export function holdTerminal(program: Program, session: ExecSession): () => void {
  const output = program.stdout.size ? program.stdout : program.stderr
  const stopResizing = output.onResize(() => {
    const { cols, rows } = terminalSize(program)
    session.resize(cols, rows)
  })
  if (!isatty(0)) return stopResizing
  const giveBack = () => process.stdin.setRawMode(false)
  process.stdin.setRawMode(true)
  return () => {
    stopResizing()
    giveBack()
  }
}
