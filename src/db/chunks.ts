/** Divides values that a statement names one by one into chunks, so that no statement has too many variables. */
export function* chunks<T>(items: readonly T[]): Generator<T[]> {
  for (let start = 0; start < items.length; start += valuesPerStatement)
    yield items.slice(start, start + valuesPerStatement)
}

/** A statement takes 32,766 variables on SQLite and 65,535 on PostgreSQL. */
const valuesPerStatement = 500
