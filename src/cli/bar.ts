const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** Returns a bar of up to `width` characters, precise to an eighth of one. Every value above 0 is visible. */
export function bar(value: number, max: number, width: number): string {
  if (value <= 0 || max <= 0) return ''
  const parts = Math.max(1, Math.round((value / max) * width * 8))
  return '█'.repeat(Math.floor(parts / 8)) + eighths[parts % 8]!
}
