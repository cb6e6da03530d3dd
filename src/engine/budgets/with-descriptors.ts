import type { Caller } from '../caller.ts'
import type { DescriptorBudget } from './descriptor-budget.ts'

/**
 * Runs `work` with `count` descriptors reserved for the caller's account. Throws `no_capacity` or `limit_reached` when
 * they are not available; `doing` is the rest of the sentence after "Cannot".
 */
export async function withDescriptors<T>(
  { budgets: { descriptors } }: { budgets: { descriptors: DescriptorBudget } },
  { accountId }: Caller,
  { doing, count }: { doing: string; count: number },
  work: () => Promise<T>,
): Promise<T> {
  const { release } = descriptors.take(doing, descriptors.sharesOf({ account: accountId }), count)
  try {
    return await work()
  } finally {
    release()
  }
}
