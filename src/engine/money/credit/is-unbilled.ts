import type { Context, ServerState } from '../../context.ts'

/**
 * Returns whether an account's usage is counted and shown, but neither charged nor refused: the owner's on the owner's
 * own machine, unless billing is on.
 */
export function isUnbilled(
  { settings, server }: Pick<Context, 'settings'> & { server: Pick<ServerState, 'ownerId'> },
  accountId: string,
): boolean {
  return !settings.billing && accountId === server.ownerId
}
