/** Returns what an error says; several messages where it stands for several, as one connection that tried two addresses. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && !error.message)
    return [...new Set(error.errors.map((one: unknown) => messageOf(one)))].join('; ')
  return error instanceof Error ? error.message : String(error)
}
