import type { ExecSession } from '../../sdk/index.ts'
import type { Program } from './program.ts'

/** Passes stdin to the program until either of them ends. */
export async function passInput(program: Program, session: ExecSession): Promise<void> {
  try {
    for await (const chunk of process.stdin) {
      if (!(await session.write(chunk as Uint8Array))) return
    }
  } catch (error) {
    await program.stderr.line(`${program.name}: Cannot read stdin: ${(error as Error).message}`).catch(() => {})
  }
  session.end()
}
