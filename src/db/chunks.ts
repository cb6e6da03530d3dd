/** Divides what a statement names one by one, so that no statement has too many variables. */
export function* chunks<T>(items: readonly T[]): Generator<T[]> {
  for (let start = 0; start < items.length; start += perStatement) yield items.slice(start, start + perStatement)
}

/** A statement takes 32,766 variables on SQLite and 65,535 on PostgreSQL. */
const perStatement = 500
