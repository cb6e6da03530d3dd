import type { Caller } from '../caller.ts'
import type { DescriptorBudget } from './descriptor-budget.ts'

/** Does something that keeps so many descriptors open meanwhile, counted for the caller's account. Rejects where there is no room for them. */
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
