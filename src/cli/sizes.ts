/** Returns a size such as `1.5 MiB`, with at most four characters and a unit. */
export function shortSize(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} B`
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length)
  const count = bytes / 1024 ** power
  return `${count < 100 ? count.toFixed(1) : Math.round(count)} ${units[power - 1]}`
}

const units = ['KiB', 'MiB', 'GiB', 'TiB']
