import type { ComputerContext } from './computer-context.ts'

/** Claims the network slots of computers, and removes the others. A slot that cannot be removed is not used. */
export async function removeUnusedSlots({
  store,
  slots,
  slotPool,
  log,
}: Pick<ComputerContext, 'store' | 'slots' | 'slotPool' | 'log'>): Promise<void> {
  const used = new Set(store.all().flatMap(({ slot }) => (slot === undefined ? [] : [slot])))
  for (const number of used) slotPool.claim(number)
  for (const number of await slots.existing()) {
    if (used.has(number)) continue
    await slots.remove(number).catch((error: unknown) => {
      slotPool.claim(number)
      log?.warn({ err: error, slot: number }, 'cannot remove an unused network slot; it is left')
    })
  }
}
