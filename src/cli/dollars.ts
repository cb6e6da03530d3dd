/** At least cents, or as many decimals as asked for, up to hundredths of cents. */
export function dollars(amount: number | string, decimals = 2): string {
  const [whole = '', fraction = ''] = Number(amount).toFixed(4).split('.')
  return `$${whole}.${fraction.slice(0, decimals)}${fraction.slice(decimals).replace(/0+$/, '')}`
}

/** How many decimals each of the amounts needs, so that their points stand below each other. */
export function decimalsOf(amounts: number[]): number {
  return Math.max(2, ...amounts.map((amount) => dollars(amount).split('.')[1]!.length))
}
