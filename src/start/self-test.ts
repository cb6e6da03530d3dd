import { findComputer, openComputer } from '../engine/computers/access/open-computer.ts'
import { removeSandbox } from '../engine/computers/manage/remove.ts'
import type { Caller } from '../engine/caller.ts'
import type { Engine } from '../engine/engine.ts'
import { execute } from '../engine/computers/processes/execute.ts'
import { programFor } from '../engine/computers/processes/program.ts'

/**
 * Proves that this host can run computers: runs one command on a fresh computer and removes the computer. Returns the
 * milliseconds from nothing to the answer. Rejects when the answer is wrong.
 */
export async function selfTest(engine: Engine): Promise<number> {
  const caller: Caller = { accountId: engine.server.ownerId, tokenId: 'server', isServer: true }
  // Servers of one database prove themselves at the same time.
  const name = `start-up-proof-${engine.node.id}`
  const started = performance.now()
  let took
  let execution
  try {
    using computer = await openComputer(engine, caller, { name }, 'run')
    execution = await execute(engine, computer, {
      kind: 'exec',
      program: programFor('shell', 'echo $((6 * 7))'),
      command: 'echo $((6 * 7))',
      timeoutMs: 30_000,
    })
    took = performance.now() - started
  } finally {
    const computer = await findComputer(engine, caller, { name }, 'manage')
    if (computer) await removeSandbox(engine, computer, 'start-up proof')
  }
  if (execution.stdout.toString() !== '42\n') {
    throw new Error(
      `A fresh computer gave a wrong answer: ${JSON.stringify(execution.stdout.toString() + execution.stderr.toString()).slice(0, 500)} (${execution.exit.reason})`,
    )
  }
  return took
}
