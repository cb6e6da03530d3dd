/** Runs `work` on each item, at most `count` at a time. Rejects with the first failure once all work has settled. */
export async function mapWithLimit<T>(
  items: Iterable<T>,
  count: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items].values()
  const worker = async () => {
    for (const item of left) await work(item)
  }
  const results = await Promise.allSettled(Array.from({ length: count }, worker))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}
