import type { Carrel } from '../../sdk/index.ts'

/** How a person pays. The address tells every way of this server. */
export function payHint(name: string, topupUrl: unknown): string {
  const other = typeof topupUrl === 'string' ? `; ${topupUrl} shows every way to pay here` : ''
  return `"${name} topup" prints a link to pay for more${other}.`
}

/** What to do when less than a cent is left; undefined while there is more, and where it costs nothing. */
export async function emptyHint(
  client: Carrel,
  name: string,
  creditsRemaining: number | string | null,
): Promise<string | undefined> {
  if (creditsRemaining === null || Number(creditsRemaining) >= 0.01) return undefined
  const isBilled = await client.usage({ days: 1 }).then(
    ({ billed }) => billed,
    // A token may be for computers alone.
    () => true,
  )
  return isBilled ? `Less than a cent is left: ${payHint(name, `${client.baseUrl}/topup`)}` : undefined
}
