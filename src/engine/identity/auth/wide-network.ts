/**
 * The /48 that a network of IPv6 lies in: whoever rents a line or a small server often holds as much, which is 65,536 networks. undefined
 * for IPv4. A /48 may also be a hall of residence, so it gets several times what one network gets (`limits.wideNetworkFactor`).
 *
 * @param network a /64 as `networkOf` writes it
 */
export function wideNetworkOf(network: string): string | undefined {
  const parts = network.split(':')
  return parts.length === 4 ? parts.slice(0, 3).join(':') : undefined
}

/** Between which texts the networks of a /48 stand, so that an index finds them: from the first, before the second. */
export function networksIn(wide: string): [from: string, before: string] {
  // The sign after ":" is ";".
  return [`${wide}:`, `${wide};`]
}
