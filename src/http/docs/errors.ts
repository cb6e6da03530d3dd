import { errorTable, type ErrorCode } from '../../errors.ts'
import { instructionFor, type Surface } from '../surface.ts'

/** Returns every error with the code that a surface uses, in the order of the error table. */
export function errorsOf({ envelope, instructions }: Surface): { code: string; status: number; instruction: string }[] {
  return (Object.keys(errorTable) as ErrorCode[]).map((code) => ({
    code: envelope.codeOf(code),
    status: errorTable[code].status,
    instruction: instructionFor(code, instructions),
  }))
}
