import type { ComputerRow } from '../../../db/schema.ts'
import type { Context } from '../../context.ts'

/** Returns the row of a computer of this node as it is now; undefined when the computer is gone or at home elsewhere. */
export function ownComputer({ db, node }: Pick<Context, 'db' | 'node'>, id: string): Promise<ComputerRow | undefined> {
  return db.selectFrom('computers').selectAll().where('id', '=', id).where('node_id', '=', node.id).executeTakeFirst()
}
