import type { ComputerFiles } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import type { Context } from '../../context.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import { filesOf } from './files-of.ts'

/**
 * Returns the files of a directory of a computer, which is created, for the computer's user, if it is missing. Works
 * whether the computer runs or not, and changes nothing of that. Throws `conflict` for a computer without files.
 */
export async function workspaceOf(
  engine: Pick<Context, 'driver'>,
  computer: AccessibleComputer<'files'>,
  directory: string,
): Promise<ComputerFiles> {
  const { id, row } = computer
  if (!(await engine.driver.get(id)))
    throw new CarrelError('conflict', `Cannot use the files: the computer is ${row.state}, and has none here`, {
      details: { state: row.state },
    })
  const all = filesOf(engine, computer)
  if (await isMissing(all, directory)) await all.makeDirectory(directory)
  return all.below(directory)
}

async function isMissing(files: ComputerFiles, path: string): Promise<boolean> {
  try {
    await files.stat(path, { followLinks: false })
    return false
  } catch (error) {
    if (error instanceof CarrelError && error.code === 'not_found') return true
    throw error
  }
}
