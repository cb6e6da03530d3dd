import type { Expression, ExpressionBuilder, ReferenceExpression, SqlBool } from 'kysely'

/** Returns `column in (values)`; `false` for no values, since a list in SQL has at least one element. */
export function inList<DB, Tables extends keyof DB>(
  eb: ExpressionBuilder<DB, Tables>,
  column: ReferenceExpression<DB, Tables>,
  values: readonly string[],
): Expression<SqlBool> {
  return values.length === 0 ? eb.lit(false) : eb(column, 'in', values as never)
}
