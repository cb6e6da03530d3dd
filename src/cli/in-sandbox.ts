import { WebSocket } from 'ws'
import { openClient } from './open-client.ts'
import { programError } from './program-error.ts'
import type { Call } from './verb.ts'

/**
 * Runs a program that works on files in the sandbox, as its user. Resolves with what it has printed. Rejects with its
 * first message if it fails, in which `advice` replaces reasons.
 */
export async function runInSandbox(
  { program, values }: Call,
  argv: string[],
  advice: Record<string, string> = {},
): Promise<string> {
  const client = await openClient(program, { ...values, timeout: undefined }, { WebSocket })
  const session = await client.exec({ argv, cwd: values.cwd })
  const { exitCode, stdout, stderr } = await session.result()
  if (exitCode === 0) return stdout
  throw new Error(programError(stderr, advice) || `"${argv[0]}" ended with ${exitCode}`)
}
