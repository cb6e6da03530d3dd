/** Returns a size in GiB for a sentence, rounded up, so that it never seems to fit where it does not. */
export function inGiB(bytes: number): string {
  return `${(Math.ceil((bytes / 1024 ** 3) * 10) / 10).toFixed(1)} GiB`
}
