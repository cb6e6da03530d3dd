import type { ComputerFiles } from '../../../drivers/driver.ts'
import type { Context } from '../../context.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'

/** Returns the files of a computer. */
export function filesOf({ driver }: Pick<Context, 'driver'>, { id }: AccessibleComputer<'files'>): ComputerFiles {
  return driver.files(id)
}
