import type { ComputerRow } from '../../../db/schema.ts'
import { transaction } from '../../../db/transaction.ts'
import { CarrelError } from '../../../errors.ts'
import { appendEvent } from '../../audit/append-event.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { assertAtHome } from '../lifecycle/at-home.ts'

/** What is changed; what is left out stays. null removes the name for people. */
export interface Names {
  name?: string | undefined
  displayName?: string | null | undefined
}

/**
 * Changes the names of a computer, and returns its row. Its host name inside changes with its next start. Throws
 * `already_exists` for a name that the workspace has already.
 */
export function renameComputer(
  { db, node }: Pick<ComputersContext, 'db' | 'node'>,
  { id, row, accountId, caller }: AccessibleComputer<'manage'>,
  { name, displayName }: Names,
): Promise<ComputerRow> {
  return transaction(db, { kind: 'operational', queue: accountId }, async (trx) => {
    await assertAtHome(trx, node, row, 'Cannot rename the computer')
    if (name !== undefined) {
      const taken = await trx
        .selectFrom('computers')
        .select('id')
        .where('account_id', '=', accountId)
        .where('name', '=', name)
        .executeTakeFirst()
      if (taken && taken.id !== id)
        throw new CarrelError(
          'already_exists',
          `Cannot rename the computer: the workspace already has one named "${name}"`,
          { details: { name } },
        )
    }
    const set = {
      ...(name === undefined ? {} : { name }),
      ...(displayName === undefined ? {} : { display_name: displayName }),
      updated_at: Date.now(),
    }
    const renamed = await trx
      .updateTable('computers')
      .set(set)
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow()
    await appendEvent(trx, {
      accountId,
      computerId: id,
      type: 'computer.renamed',
      actor: caller.tokenId,
      data: { from: row.name, to: renamed.name, displayName: renamed.display_name },
    })
    return renamed
  })
}
