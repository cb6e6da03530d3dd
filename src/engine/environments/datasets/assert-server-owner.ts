import { CarrelError } from '../../../errors.ts'
import { assertRole } from '../../identity/accounts/roles.ts'
import type { Authenticated } from '../../identity/accounts/tokens.ts'
import type { DatasetContext } from './datasets.ts'

/** Throws `forbidden` unless the caller is an admin of the owner's account, to which the datasets of a server belong. */
export function assertServerOwner({ server }: Pick<DatasetContext, 'server'>, caller: Authenticated): void {
  if (caller.accountId !== server.ownerId)
    throw new CarrelError('forbidden', "Cannot change the datasets: this takes a token of the owner's account")
  assertRole(caller, 'admin')
}
