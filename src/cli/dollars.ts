/** Returns an amount with at least `decimals` decimals, and at most four. */
export function dollars(amount: number | string, decimals = 2): string {
  const [whole = '', fraction = ''] = Number(amount).toFixed(4).split('.')
  return `$${whole}.${fraction.slice(0, decimals)}${fraction.slice(decimals).replace(/0+$/, '')}`
}

/** Returns how many decimals amounts need for their decimal points to align. */
export function decimalsOf(amounts: number[]): number {
  return Math.max(2, ...amounts.map((amount) => dollars(amount).split('.')[1]!.length))
}
