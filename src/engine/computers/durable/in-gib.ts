/** Returns a size in GiB, rounded up: files of that size have to go. */
export function inGiB(bytes: number): string {
  return `${(Math.ceil((bytes / 1024 ** 3) * 10) / 10).toFixed(1)} GiB`
}
