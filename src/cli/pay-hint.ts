import type { Carrel } from '../../sdk/index.ts'

/** Returns how a person pays. The address shows every payment method of the server. */
export function payHint(name: string, topupUrl: unknown): string {
  const other = typeof topupUrl === 'string' ? `; ${topupUrl} shows every way to pay` : ''
  return `"${name} topup" prints a link to pay for more${other}.`
}

/** Returns what to do when less than a cent is left; undefined if there is more, or usage is free. */
export async function emptyHint(
  client: Carrel,
  name: string,
  creditsRemaining: number | string | null,
): Promise<string | undefined> {
  if (creditsRemaining === null || Number(creditsRemaining) >= 0.01) return undefined
  const isBilled = await client.usage({ days: 1 }).then(
    ({ billed }) => billed,
    // The token may not permit reading usage.
    () => true,
  )
  return isBilled ? `Less than a cent is left: ${payHint(name, `${client.baseUrl}/topup`)}` : undefined
}
