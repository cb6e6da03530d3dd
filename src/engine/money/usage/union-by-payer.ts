/** For how long a process ran; without an end it still does. */
export interface Stretch {
  processId: string
  tokenId: string | null
  startedAtMs: number
  endedAtMs: number | undefined
}

/**
 * For how long any of them ran from one moment to another, by whose process it was: where several ran at once, the one
 * that began first pays. They are given in the order in which they began.
 */
export function unionByPayer(
  stretches: readonly Stretch[],
  fromMs: number,
  toMs: number,
): { tokenId: string | null; ms: number }[] {
  const used: { tokenId: string | null; ms: number }[] = []
  let countedTo = fromMs
  for (const { tokenId, startedAtMs, endedAtMs = toMs } of stretches) {
    const begin = Math.max(startedAtMs, countedTo)
    const end = Math.min(endedAtMs, toMs)
    if (end <= begin) continue
    used.push({ tokenId, ms: end - begin })
    countedTo = end
  }
  return used
}
