import type { Kysely } from 'kysely'
import type { Database } from '../db/schema.ts'
import { authenticateToken } from '../engine/identity/accounts/tokens.ts'
import { destroyComputer } from '../engine/computers/lifecycle/destroy.ts'
import { findSandbox } from '../engine/computers/lifecycle/use-sandbox.ts'
import type { Engine } from '../engine/engine.ts'
import { execute } from '../engine/computers/processes/execute.ts'
import { programFor } from '../engine/computers/processes/program.ts'

const sessionKey = 'start-up-proof'

/**
 * Proves that this host can run computers: runs one command on a fresh computer and removes the computer. Returns the
 * milliseconds from nothing to the answer. Rejects when the answer is wrong.
 */
export async function selfTest(engine: Engine, db: Kysely<Database>, token: string): Promise<number> {
  const caller = { ...(await authenticateToken(db, token)), tokenId: 'server', isServer: true as const }
  const started = performance.now()
  let took
  let execution
  try {
    execution = await execute(engine, caller, sessionKey, {
      kind: 'exec',
      program: programFor('shell', 'echo $((6 * 7))'),
      command: 'echo $((6 * 7))',
      timeoutMs: 30_000,
    })
    took = performance.now() - started
  } finally {
    const computer = await findSandbox(engine, caller.accountId, sessionKey)
    if (computer)
      await engine.locks.run(computer.id, () => destroyComputer(engine, computer.id, 'server', 'start-up proof'))
  }
  if (execution.stdout.toString() !== '42\n') {
    throw new Error(
      `A fresh computer gave a wrong answer: ${JSON.stringify(execution.stdout.toString() + execution.stderr.toString()).slice(0, 500)} (${execution.exit.reason})`,
    )
  }
  return took
}
