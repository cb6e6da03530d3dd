/**
 * Host ids of a computer's users: root inside is `firstHostId` outside, which owns nothing of the host's. Far above
 * the ranges that distributions give to people (/etc/subuid) and to systemd-nspawn, and below 2^31.
 */
export const idMap = { firstHostId: 2_000_000_000, count: 65_536 } as const

/** The host's id for a user or group id inside a computer. */
export function toHostId(insideId: number): number {
  return idMap.firstHostId + insideId
}

/** The inside's id for an owner seen on the host; 65534 (nobody) for an owner from outside the map. */
export function toInsideId(hostId: number): number {
  const inside = hostId - idMap.firstHostId
  return inside >= 0 && inside < idMap.count ? inside : 65_534
}
