/** Returns things with their titles told apart: the second of a title gets the number 2, and so on. */
export function withNumberedTitles<T extends { title: string }>(all: readonly T[]): T[] {
  const counts = new Map<string, number>()
  return all.map((each) => {
    const count = (counts.get(each.title) ?? 0) + 1
    counts.set(each.title, count)
    return count === 1 ? each : { ...each, title: `${each.title} ${count}` }
  })
}
