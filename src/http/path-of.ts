/**
 * Returns the path of a request target in the form in which routes are looked up: without the query, without the origin
 * that a request through a proxy contains, and percent-decoded. An invalid encoding stays as it is.
 */
export function pathOf(target: string): string {
  const [path = ''] = target.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1)
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
