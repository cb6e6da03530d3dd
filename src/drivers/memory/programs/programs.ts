import type { Program } from '../tasks/task.ts'
import { filePrograms } from './file-programs.ts'
import { processPrograms } from './process-programs.ts'
import { textPrograms } from './text-programs.ts'

/** All programs of this driver's images, by name. */
export const programs: Readonly<Record<string, Program>> = { ...processPrograms, ...filePrograms, ...textPrograms }
