/** What a table is, in words that both databases share; everything is sorted. */
export interface Table {
  /** `<name> <type>`, with `null` where the column may be null. */
  columns: string[]
  primaryKey: string[]
  /** `<column> <table>.<column>` */
  foreignKeys: string[]
  /** `<name> (<columns>)`, without a name for that of a constraint, with `unique`, and with the condition of a partial one. */
  indexes: string[]
}

export interface Column {
  name: string
  type: string
  isNullable: boolean
}

export function columnText({ name, type, isNullable }: Column): string {
  const [kind] = Object.entries(kinds).find(([, pattern]) => pattern.test(type)) ?? []
  if (kind === undefined) throw new Error(`Column "${name}" has the unknown type "${type}"`)
  return `${name} ${kind}${isNullable ? ' null' : ''}`
}

const kinds = {
  text: /^(?:text|varchar.*|character varying.*)$/i,
  whole: /^(?:bigint|integer)$/i,
  fraction: /^(?:real|double precision)$/i,
  bytes: /^(?:blob|bytea)$/i,
}

export interface Index {
  name: string | undefined
  columns: string[]
  isUnique: boolean
  condition: string | null
}

export function indexText({ name = '', columns, isUnique, condition }: Index): string {
  const where = condition === null ? '' : ` where ${conditionText(condition)}`
  return `${isUnique ? 'unique ' : ''}${name} (${columns.join(', ')})${where}`
}

/** Databases write quotes, parentheses and types in different ways. */
function conditionText(condition: string): string {
  return condition
    .replaceAll(/::\w+|["()]/g, '')
    .toLowerCase()
    .trim()
}
