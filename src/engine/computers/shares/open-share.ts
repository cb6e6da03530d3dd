import { lookup } from '../../../db/lookup.ts'
import type { AccessSessionRow } from '../../../db/schema.ts'
import { asCarrelError, CarrelError } from '../../../errors.ts'
import { hashOf, type Authenticated } from '../../identity/accounts/tokens.ts'
import { workspaceName } from '../../identity/workspaces/workspace-name.ts'
import { findComputer, type AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { noShare, type Share } from './share.ts'
import { enterShare } from './share-caller.ts'

/** A share whose link works, and what it leads to. */
export interface OpenedShare {
  share: Share & { token: string }
  computer: AccessibleComputer<'run'>
  /** The name of the computer's workspace. */
  workspaceName: string
  /** Whoever has the link. */
  visitor: Authenticated
}

/**
 * Returns the share of a link's token, without counting as a use of it. Throws `not_found`, in the same way for a token
 * that is unknown, expired or revoked and for one whose computer or creator is gone; and `other_node`.
 */
export async function openShare(
  engine: Pick<ComputersContext, 'db' | 'node' | 'images'>,
  token: string,
): Promise<OpenedShare> {
  const row = await shareByHash(engine.db, hashOf(token))
  if (!row) throw noShare()
  const { hash: _hash, sealed_token: _sealed, ...share } = row
  const { id, account_id: accountId } = share
  const { caller } = await enterShare(engine.db, { id, accountId }).catch((error: unknown) => {
    throw asCarrelError(error).code === 'unauthenticated' ? noShare() : error
  })
  const computer = await findComputer(engine, caller, { shared: share.computer_id }, 'run')
  if (!computer || computer.row.state === 'deleting') throw noShare()
  return {
    share: { ...share, token },
    computer,
    visitor: caller,
    workspaceName: await workspaceName(engine, accountId),
  }
}

/**
 * Returns the kind of session that a link opens: the wanted one, or by default the one that opens more. Throws
 * `forbidden` for one that the share does not allow.
 */
export function sharedKind({ share }: OpenedShare, wanted?: AccessSessionRow['kind']): 'browser' | 'vnc' {
  const allowed = { browser: share.allow_browser === 1, vnc: share.allow_vnc === 1 }
  if (wanted === undefined) return allowed.browser ? 'browser' : 'vnc'
  if ((wanted === 'browser' || wanted === 'vnc') && allowed[wanted]) return wanted
  throw new CarrelError('forbidden', `Cannot open the share: its link opens no session of the kind "${wanted}"`, {
    details: { field: 'kind' },
  })
}

const shareByHash = lookup((db) => db.selectFrom('shares').selectAll().where('hash', '=', ''))
