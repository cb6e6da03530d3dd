import { Client } from 'pg'

/** Parameters by statement. */
export type Statements = Map<string, readonly unknown[]>

interface Query {
  text: string
  values?: readonly unknown[]
}

/**
 * Records each distinct statement that this process sends to PostgreSQL, but for bulk reads, which are known by their
 * read-only connection. Returns what is recorded so far.
 */
export function recordStatements(): Statements {
  const statements: Statements = new Map()
  const bulkReaders = new WeakSet<Client>()
  const original = Reflect.get(Client.prototype, 'query') as (this: Client, ...args: unknown[]) => unknown
  const record = (client: Client, { text, values = [] }: Query) => {
    if (text.includes('default_transaction_read_only')) bulkReaders.add(client)
    if (!bulkReaders.has(client) && !statements.has(text)) statements.set(text, values)
  }
  Object.defineProperty(Client.prototype, 'query', {
    value(this: Client, query: string | Query, ...rest: unknown[]) {
      const given = typeof query === 'string' ? { text: query } : query
      record(this, { ...given, values: given.values ?? (rest[0] as unknown[]) })
      return Reflect.apply(original, this, [query, ...rest])
    },
  })
  return statements
}
