import { isatty } from 'node:tty'
import type { ExecSession, TerminalSize } from '../../sdk/index.ts'
import type { Program } from './program.ts'

const defaultSize: TerminalSize = { cols: 80, rows: 24 }

/** Returns the size of the terminal; 80 columns by 24 rows without one. */
export function terminalSize({ stdout, stderr }: Program): TerminalSize {
  return stdout.size ?? stderr.size ?? defaultSize
}

/**
 * Connects the terminal to the remote program, which gets every key and the size. Returns a function that restores the
 * terminal. Node restores it too whenever this process ends, except by SIGKILL.
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
