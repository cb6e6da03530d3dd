import { limits } from '../../config/limits.ts'
import { openComputer } from '../../engine/computers/access/open-computer.ts'
import { filesOf } from '../../engine/computers/files/files-of.ts'
import { withDescriptors } from '../../engine/budgets/with-descriptors.ts'
import type { Caller } from '../../engine/caller.ts'
import type { Engine } from '../../engine/engine.ts'
import type { ComputerFiles } from '../../engine/types.ts'

/** Runs `work` with the files of a caller's sandbox, which stays in use meanwhile. */
export async function withFiles<T>(
  engine: Engine,
  caller: Caller,
  sessionId: string | undefined,
  work: (files: ComputerFiles) => Promise<T>,
): Promise<T> {
  using computer = await openComputer(engine, caller, { name: sessionId ?? '' }, 'files')
  const held = { doing: 'use the files', count: limits.fileDescriptors }
  return await withDescriptors(engine, caller, held, () => work(filesOf(engine, computer)))
}
