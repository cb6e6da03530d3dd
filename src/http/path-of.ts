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

/** Returns the path of a request target for the log: without what opens something, such as the token of a share. */
export function loggedPath(target: string): string {
  return pathOf(target).replace(/^(\/v1\/shares|\/share)\/[^/]+/, '$1/…')
}
