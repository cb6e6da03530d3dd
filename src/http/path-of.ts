/**
 * The path of a request's target as routes are looked up by it: without the query, without the origin that a request through a proxy names, and without
 * what is percent-encoded for no reason. One that is encoded wrongly stays as it is.
 */
export function pathOf(target: string): string {
  const [path = ''] = target.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1)
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
