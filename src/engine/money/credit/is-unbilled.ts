import type { Context, ServerState } from '../../context.ts'

/**
 * Whose use of his own machine is counted and shown, but neither charged nor refused: the owner's, unless billing is
 * on.
 */
export function isUnbilled(
  { settings, server }: Pick<Context, 'settings'> & { server: Pick<ServerState, 'ownerId'> },
  accountId: string,
): boolean {
  return !settings.billing && accountId === server.ownerId
}
