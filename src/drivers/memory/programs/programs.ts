import type { Program } from '../tasks/task.ts'
import { attributePrograms } from './attribute-programs.ts'
import { digestPrograms } from './digest-programs.ts'
import { filePrograms } from './file-programs.ts'
import { generatorPrograms } from './generator-programs.ts'
import { inspectionPrograms } from './inspection-programs.ts'
import { processPrograms } from './process-programs.ts'
import { textPrograms } from './text-programs.ts'

/** All programs of this driver's images, by name. */
export const programs: Readonly<Record<string, Program>> = {
  ...processPrograms,
  ...filePrograms,
  ...attributePrograms,
  ...inspectionPrograms,
  ...textPrograms,
  ...generatorPrograms,
  ...digestPrograms,
}
