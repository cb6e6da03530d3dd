/** Returns the cents of dollars such as `20`, `$20` or `7.50`; undefined for anything else. */
export function centsOf(text: string): number | undefined {
  const [, whole = '', parts = ''] = /^\$?(\d{1,9})(?:\.(\d{1,2}))?$/.exec(text) ?? []
  return whole === '' ? undefined : Number(whole) * 100 + Number(parts.padEnd(2, '0'))
}
