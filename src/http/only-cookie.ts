/**
 * Returns the value of a cookie in a `Cookie` header; undefined where there is none of that name, or more than one: a
 * page of the same site can add one for the whole domain. Only blanks and tabs surround a name (RFC 6265). Other white
 * space is part of it, and such a name is not protected by `__Host-`: any host of the domain can set it.
 */
export function onlyCookie(header: string | undefined, name: string): string | undefined {
  const parts = (header ?? '').split(';').map((part) => part.replaceAll(/^[ \t]+|[ \t]+$/g, ''))
  const [first, second] = parts.filter((part) => part.startsWith(`${name}=`))
  return second === undefined ? first?.slice(name.length + 1) : undefined
}
