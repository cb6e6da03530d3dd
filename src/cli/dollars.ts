/** At least cents, up to hundredths of them. */
export function dollars(amount: number | string): string {
  return `$${Number(amount)
    .toFixed(4)
    .replace(/0{1,2}$/, '')}`
}
