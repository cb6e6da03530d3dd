/**
 * Returns the /48 of an IPv6 network, which is 65,536 networks and often belongs to one customer of an Internet
 * provider or to one small server; undefined for IPv4. A /48 can also be a hall of residence, so its limit is several
 * times that of one network (`limits.sitePrefixFactor`).
 *
 * @param network a /64 as `networkOf` writes it
 */
export function sitePrefixOf(network: string): string | undefined {
  const parts = network.split(':')
  return parts.length === 4 ? parts.slice(0, 3).join(':') : undefined
}

/**
 * Returns the range of texts that holds the networks of a /48, for a search by an index: from the first, before the
 * second.
 */
export function networksIn(sitePrefix: string): [from: string, before: string] {
  // ";" is the character after ":".
  return [`${sitePrefix}:`, `${sitePrefix};`]
}
