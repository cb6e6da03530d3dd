import type { Engine } from '../../engine.ts'

/** Whose use of his own machine is counted and shown, but neither charged nor refused: the owner's, unless billing is on. */
export function isUnbilled({ settings, ownerId }: Pick<Engine, 'settings' | 'ownerId'>, accountId: string): boolean {
  return !settings.billing && accountId === ownerId
}
