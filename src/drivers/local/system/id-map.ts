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
  return isGuestsId(hostId) ? hostId - idMap.firstHostId : 65_534
}

/** Whether an id on the host is one of the computers'. */
export function isGuestsId(hostId: number): boolean {
  return isMappedId(hostId - idMap.firstHostId)
}

/** Whether an id inside a computer has one on the host: the runtime must be given no other. */
export function isMappedId(insideId: number): boolean {
  return Number.isInteger(insideId) && insideId >= 0 && insideId < idMap.count
}
