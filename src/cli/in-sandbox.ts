import { WebSocket } from 'ws'
import { openClient } from './open-client.ts'
import type { Call } from './verb.ts'

/**
 * Runs a program that works on files in the sandbox, as its user. Resolves with what it has printed. Rejects with its
 * first message if it fails.
 */
export async function runInSandbox({ program, values }: Call, argv: string[]): Promise<string> {
  const client = await openClient(program, { ...values, timeout: undefined }, { WebSocket })
  const session = await client.exec({ argv, cwd: values.cwd })
  const { exitCode, stdout, stderr } = await session.result()
  if (exitCode === 0) return stdout
  const [first = '', ...others] = stderr.trim().split('\n')
  const reason = first.replace(/^\S*: ?/, '') || `${argv[0]} ended with ${exitCode}`
  const more = others.length > 0 ? ` (and ${others.length} more)` : ''
  throw new Error(reason[0]!.toUpperCase() + reason.slice(1) + more)
}
