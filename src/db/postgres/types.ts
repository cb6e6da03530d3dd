import { types as standard, type CustomTypesConfig } from 'pg'

/**
 * Reads values as SQLite returns them: integers of 64 bits and their sums as numbers. `pg` returns them as texts, because
 * a number holds 53 bits; what Carrel stores fits (milliseconds, bytes, micro-dollars).
 */
export const types: CustomTypesConfig = {
  getTypeParser(oid, format) {
    if (format !== 'binary' && wholeNumbers.has(oid)) return parseInteger
    return standard.getTypeParser(oid, format) as (value: string) => unknown
  },
}

const wholeNumbers = new Set<number>([standard.builtins.INT8, standard.builtins.NUMERIC])

function parseInteger(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    throw new RangeError(`Cannot read ${text} from the database: it exceeds ${Number.MAX_SAFE_INTEGER}`)
  return value
}
