import type { Program } from './program.ts'

/** Tells a user at a terminal that the connection is lost, or restored. */
export async function reportConnection(program: Program, state: string): Promise<void> {
  if (!program.stderr.isTerminal) return
  const text = state === 'lost' ? 'the connection is lost, reconnecting' : 'the connection is restored'
  await program.stderr.write(`\r\n${program.name}: ${text}\r\n`).catch(() => {})
}
