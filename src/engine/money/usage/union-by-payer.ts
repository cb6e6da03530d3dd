/** The span in which a process ran; without an end it still runs. */
export interface Span {
  processId: string
  tokenId: string | null
  startedAtMs: number
  endedAtMs: number | undefined
}

/**
 * Returns for how long any of the processes ran between two times, by token: where several ran at the same time, the
 * one that began first pays. The spans have to be in the order of their start.
 */
export function unionByPayer(
  spans: readonly Span[],
  fromMs: number,
  toMs: number,
): { tokenId: string | null; ms: number }[] {
  const used: { tokenId: string | null; ms: number }[] = []
  let countedTo = fromMs
  for (const { tokenId, startedAtMs, endedAtMs = toMs } of spans) {
    const begin = Math.max(startedAtMs, countedTo)
    const end = Math.min(endedAtMs, toMs)
    if (end <= begin) continue
    used.push({ tokenId, ms: end - begin })
    countedTo = end
  }
  return used
}
