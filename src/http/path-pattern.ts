/**
 * Returns a function that gives the parameters of a path, such as `{ id }` for `/things/:id`; undefined for another
 * path.
 */
export function pathPattern(url: string): (path: string) => Record<string, string> | undefined {
  const pattern = new RegExp(
    `^${url
      .replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll(/:(\w+)/g, '(?<$1>[^/]+?)')
      .replaceAll('*', '.*')}/?$`,
  )
  return (path) => {
    const found = pattern.exec(path)
    return found ? { ...found.groups } : undefined
  }
}
